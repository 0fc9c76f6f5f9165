import { join } from "@std/path";
import { MAX_IMAGE_BYTES } from "../data/images/decode_image.ts";
import { IMAGE_ENDINGS, isImageName } from "../data/images/formats.ts";
import { isLeftover } from "../data/layouts/find_layout.ts";
import { decodeToForm } from "../data/images/stored_form.ts";
import { imagesInMemory } from "../data/loader/images_in_memory.ts";
import { listFolder } from "../files/list_folder.ts";
import { readPlainFile } from "../files/plain_file.ts";
import { storedSource } from "../data/loader/stored_source.ts";
import { LetheError } from "../error.ts";
import { readModel } from "../model/checkpoint.ts";
import { uploadWeights } from "../model/device_weights.ts";
import { microBatchWithin } from "../model/memory_plan.ts";
import { predict } from "../model/predict.ts";
import { useKernels } from "../tensor/kernels/autotune/kernel_choice.ts";
import { disposeWeights } from "../tensor/weights.ts";
import { inputFormat, storedForm } from "../model/input_format.ts";
import { range } from "../data/loader/image_source.ts";

/** What a model says of one image. */
export interface ImagePrediction {
  /** Its name, relative. */
  readonly file: string;
  /** One per label. */
  readonly logits: readonly number[];
  /** CLS feature after the final norm. */
  readonly features: readonly number[];
}

/**
 * Logits and features of every image in a folder.
 *
 * @param folder JPEG and PNG images; other files are passed over
 * @param memory images per pass (default 16, or as many as the memory holds), or bytes of device
 *   memory to keep within
 * @returns sorted by file name
 * @throws LetheError the model or an image is missing or damaged, or there is no image
 */
export async function predictImages(
  model: string,
  folder: string,
  memory: { readonly microBatch?: number | undefined; readonly memoryLimit?: number } = {},
): Promise<{ labels: readonly string[]; images: ImagePrediction[] }> {
  const { config, theta: host, kernels } = await readModel(model);
  useKernels(kernels);
  const entries = await listFolder(folder, "it holds the images to predict");
  const files = entries.map(({ name }) => name).filter((name) =>
    isImageName(name) && !isLeftover(name)
  )
    .sort();
  if (files.length === 0) {
    const inner = entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => name).sort();
    if (inner.length > 0) {
      throw new LetheError(
        `${folder} holds no image but ${inner.length} folders`,
        "the images of one folder are read, and not those of folders in it",
        `name one of them: ${join(folder, inner[0])}`,
      );
    }
    throw new LetheError(
      `${folder} holds no image`,
      `Lethe reads ${IMAGE_ENDINGS.join(", ")}`,
      "put the images there",
    );
  }
  const { imageSize: side, labels, task, dim } = config;
  const size = side * side * 3;
  const data = new Uint8Array(files.length * size);
  for (const [i, file] of files.entries()) {
    const path = join(folder, file);
    const bytes = await readPlainFile(path, { maxBytes: MAX_IMAGE_BYTES });
    data.set(decodeToForm(bytes, path, storedForm(config)), i * size);
  }
  // Nothing is known of the targets and nothing depends on them.
  const targets = task === "classes" ? [0] : labels.map(() => 0);
  const source = storedSource(
    imagesInMemory(side, data, files),
    files.map((file) => ({ file, identity: file, targets })),
    inputFormat(config),
  );
  const microBatch = memory.microBatch ??
    microBatchWithin(config, labels.length, "predict", 16, memory.memoryLimit);
  const theta = uploadWeights(host);
  const out = await predict(theta, config, source, range(files.length), microBatch);
  disposeWeights(theta);
  const row = (rows: Float32Array, i: number, width: number) => [
    ...rows.subarray(i * width, (i + 1) * width),
  ];
  return {
    labels,
    images: files.map((file, i) => ({
      file,
      logits: row(out.logits, i, labels.length),
      features: row(out.features, i, dim),
    })),
  };
}
