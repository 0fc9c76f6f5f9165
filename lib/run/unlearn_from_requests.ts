import { join } from "@std/path";
import type { ImageSource } from "../data/loader/image_source.ts";
import { imagesInMemory } from "../data/loader/images_in_memory.ts";
import { type ForgetRequest, readRequests } from "../data/requests/requests.ts";
import { resizeBilinear } from "../data/images/resize.ts";
import { sha256Hex } from "../files/sha256.ts";
import { storedSource } from "../data/loader/stored_source.ts";
import { LetheError } from "../error.ts";
import { modelFiles, writeModel } from "../model/checkpoint.ts";
import type { ModelConfig } from "../model/config.ts";
import { downloadWeights, uploadWeights } from "../model/device_weights.ts";
import { readKit, writeKit } from "../model/kit/kit.ts";
import { microBatchWithin } from "../model/memory_plan.ts";
import { predict } from "../model/predict.ts";
import type { Device } from "../tensor/device.ts";
import { useKernels } from "../tensor/kernels/autotune/kernel_choice.ts";
import { disposeWeights, type Weights } from "../tensor/weights.ts";
import { withoutRows } from "../unlearn/unlearn.ts";
import { checkMethod, type MethodChoice, unlearnFromKit } from "../unlearn/unlearn_from_kit.ts";
import { inputFormat, storedForm } from "../model/input_format.ts";
import { range } from "../data/loader/image_source.ts";
import type { RequestedRow, UnlearnSummary } from "./unlearn_summary.ts";

/** What {@link unlearnRows} needs. It reads the kit and the requests; nothing else. */
export interface UnlearnRowsOptions {
  /** Opens the device, once all input has been read. */
  readonly openDevice: () => Promise<Device>;
  readonly kit: string;
  readonly support: string;
  /** Every request of `support`, sorted by file name. */
  readonly rows: readonly RequestedRow[];
  /** An existing folder, which gets `model/` and `kit/`. */
  readonly folder: string;
  readonly choice: MethodChoice;
  /** Images per pass, or fewer where the device's memory holds no more. */
  readonly microBatch: number;
  /** Bytes of device memory to keep within. */
  readonly memoryLimit?: number;
}

/**
 * Forgets the people of some embedding rows by the method chosen: writes the new weights and the kit
 * for the next request, without these rows. It needs no key: who they are is not its business.
 *
 * @throws LetheError bad input; a method that the kit lacks the statistics of; requests other than
 *   `rows` names
 */
export async function unlearnRows(options: UnlearnRowsOptions): Promise<UnlearnSummary> {
  const { support, folder } = options;
  const kit = await readKit(options.kit);
  checkMethod(kit, options.choice.method);
  const { config } = kit.model;
  const requests = await readRequests(support, config, storedForm(config));
  checkFiles(support, requests, options.rows);
  const rows = options.rows.map(({ row }) => row);
  const device = await options.openDevice();
  useKernels(kit.model.kernels);

  const labels = config.labels.length;
  const { memoryLimit } = options;
  const microBatch = microBatchWithin(config, labels, "unlearn", options.microBatch, memoryLimit);
  const theta = uploadWeights(kit.model.theta);
  const phi = uploadWeights(kit.phi);
  const source = await requestSource(requests, config, theta, microBatch);
  const { choice } = options;
  const { theta: after, steps, settings, staleStatistics } = await unlearnFromKit(
    kit,
    theta,
    source,
    rows,
    choice,
    microBatch,
  );
  const nextPhi = withoutRows(phi, rows);
  const model = { ...kit.model, theta: await downloadWeights(after) };
  const phiAfter = await downloadWeights(nextPhi);
  for (const weights of [theta, phi, after, nextPhi]) disposeWeights(weights);

  const weightsHash = (of: typeof model) => sha256Hex(modelFiles(of).get("model.safetensors")!);
  await writeModel(join(folder, "model"), model);
  const { generation, identities, forgotten, unlearning, methods, metaLoss, record } = kit.manifest;
  const { statistics } = kit.manifest;
  const nextKit = await writeKit(join(folder, "kit"), {
    model,
    phi: phiAfter,
    ...(kit.logStepSizes ? { logStepSizes: kit.logStepSizes } : {}),
    ...(kit.trainingImages ? { trainingImages: kit.trainingImages } : {}),
    ...(kit.statistics ? { statistics: kit.statistics } : {}),
    manifest: {
      generation: generation + 1,
      parent: kit.sha256,
      unlearning,
      ...(methods ? { methods } : {}),
      ...(statistics ? { statistics: { ...statistics, stale: true } } : {}),
      metaLoss,
      identities: identities.filter((_, row) => !rows.includes(row)),
      forgotten: [...forgotten, ...rows.map((row) => identities[row])].sort(),
      record,
    },
  });
  return {
    people: requests.length,
    method: choice.method,
    steps,
    settings,
    staleStatistics,
    targets: requests[0].targets ? "requests.csv" : "the model's own predictions",
    device: device.adapter,
    kit: { before: kit.sha256, after: nextKit },
    weights: {
      before: weightsHash({ ...kit.model, theta: new Map(kit.model.theta) }),
      after: weightsHash(model),
    },
  };
}

/** The requests must be those that the rows were looked up for. */
function checkFiles(
  support: string,
  requests: readonly ForgetRequest[],
  rows: readonly RequestedRow[],
): void {
  const found = requests.map(({ file }) => file);
  if (found.length === rows.length && rows.every(({ file }, i) => file === found[i])) return;
  throw new LetheError(
    `${support} changed: it holds ${found.join(", ")}`,
    `the people of ${rows.map(({ file }) => file).join(", ")} were looked up`,
    "run again once nothing writes to it",
  );
}

/** The support images as a source of batches, with the model's own predictions where labels lack. */
async function requestSource(
  requests: readonly ForgetRequest[],
  config: ModelConfig,
  theta: Weights,
  microBatch: number,
): Promise<ImageSource> {
  const side = config.imageSize;
  const size = side * side * 3;
  const data = new Uint8Array(requests.length * size);
  requests.forEach(({ image }, i) => data.set(resizeBilinear(image, side), i * size));
  const images = imagesInMemory(side, data, requests.map(({ file }) => file));
  const format = inputFormat(config);
  const labelled = (targets: readonly (readonly number[])[]) =>
    storedSource(
      images,
      requests.map(({ file, identity }, i) => ({ file, identity, targets: targets[i] })),
      format,
    );
  if (requests[0].targets) return labelled(requests.map(({ targets }) => targets!));

  const width = config.labels.length;
  const blank = labelled(
    requests.map(() => config.task === "classes" ? [0] : new Array(width).fill(0)),
  );
  const { logits } = await predict(theta, config, blank, range(requests.length), microBatch);
  return labelled(requests.map((_, i) => {
    const row = [...logits.subarray(i * width, (i + 1) * width)];
    return config.task === "classes"
      ? [row.indexOf(Math.max(...row))]
      : row.map((logit) => logit > 0 ? 1 : 0);
  }));
}
