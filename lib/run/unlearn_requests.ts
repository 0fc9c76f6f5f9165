import { join } from "@std/path";
import type { ImageSource } from "../data/image_source.ts";
import { type ForgetRequest, readRequests } from "../data/requests.ts";
import { resizeBilinear } from "../data/resize.ts";
import { sha256Hex } from "../data/sha256.ts";
import { storedSource } from "../data/stored_source.ts";
import { buildFolder, refuseExisting } from "../data/whole.ts";
import { LetheError } from "../error.ts";
import { modelFiles, writeModel } from "../model/checkpoint.ts";
import type { ModelConfig } from "../model/config.ts";
import { downloadWeights, uploadWeights } from "../model/device_weights.ts";
import {
  identityHash,
  identityKeyPath,
  readIdentityKey,
  writeIdentityKey,
} from "../model/identity_key.ts";
import { readKit, type StoredKit, writeKit } from "../model/kit.ts";
import { noteSuccessor, refuseSucceeded } from "../model/kit_successor.ts";
import { predict } from "../model/predict.ts";
import type { Device } from "../tensor/device.ts";
import { disposeWeights, type Weights } from "../tensor/weights.ts";
import { unlearn, type UnlearnedChunk, withoutRows } from "../unlearn/unlearn.ts";
import { inputFormat, range } from "./split_data.ts";

/** What {@link unlearnRequests} needs. It reads the kit, its key and the requests; nothing else. */
export interface UnlearnOptions {
  readonly device: Device;
  readonly kit: string;
  /** Folder of requests, one image per person. */
  readonly support: string;
  /** Folder to make: `model/`, `kit/` for the next request, `summary.json`. */
  readonly out: string;
  /** The kit's identity key; default beside the kit. */
  readonly identityKey?: string;
  /** Allows a kit that has been through a request already. */
  readonly branch?: boolean;
  /** The sample kit, in which nobody is real: used as often as one likes, and no successor noted. */
  readonly sample?: boolean;
  readonly microBatch?: number;
}

/** `summary.json`. It names nobody and holds no pixel. */
export interface UnlearnSummary {
  readonly people: number;
  readonly steps: readonly UnlearnedChunk[];
  /** Where the support images' labels came from. */
  readonly targets: "requests.csv" | "the model's own predictions";
  readonly metaLearningRate: number;
  readonly device: string;
  /** SHA-256 of the kit.json that was used and of the next kit's. */
  readonly kit: { readonly before: string; readonly after: string };
  /** SHA-256 of model.safetensors. */
  readonly weights: { readonly before: string; readonly after: string };
}

/**
 * Forgets the people of a folder of requests (Algorithm 1): writes the new weights, the kit for the
 * next request, without these people's embedding rows, and a summary.
 *
 * @throws UsageError there is no kit
 * @throws LetheError bad input; an identity that the kit does not know or has forgotten already; a
 *   kit with a successor; `out` exists
 */
export async function unlearnRequests(options: UnlearnOptions): Promise<UnlearnSummary> {
  const { out, support, branch = false, sample = false, microBatch = 16 } = options;
  await refuseExisting(out);
  const kit = await readKit(options.kit);
  if (!branch && !sample) await refuseSucceeded(options.kit, kit.sha256);
  const key = await readIdentityKey(options.identityKey ?? identityKeyPath(options.kit));
  const { config } = kit.model;
  const requests = await readRequests(support, config);
  const hashes = requests.map(({ identity }) => identityHash(key, identity));
  const rows = requests.map((request, i) => rowOf(kit, hashes[i], join(support, request.file)));

  const theta = uploadWeights(kit.model.theta);
  const phi = uploadWeights(kit.phi);
  const logStepSizes = kit.logStepSizes && uploadWeights(kit.logStepSizes);
  const source = await requestSource(requests, config, theta, microBatch);
  const { metaLearningRate, inputs, requestSize } = kit.manifest.unlearning;
  const settings = { metaLearningRate, inputs, shape: config, microBatch };
  const parameters = logStepSizes ? { phi, logStepSizes } : { phi };
  const { theta: after, steps } = await unlearn(
    theta,
    parameters,
    settings,
    source,
    rows,
    requestSize,
  );
  const nextPhi = withoutRows(phi, rows);
  const model = { config, theta: await downloadWeights(after) };
  const phiAfter = await downloadWeights(nextPhi);
  for (const weights of [theta, phi, logStepSizes, after, nextPhi]) disposeWeights(weights);

  const weightsHash = (of: typeof model) => sha256Hex(modelFiles(of).get("model.safetensors")!);
  const summary = await buildFolder(out, async (staging): Promise<UnlearnSummary> => {
    await writeModel(join(staging, "model"), model);
    const { generation, identities, forgotten, unlearning, metaLoss, record } = kit.manifest;
    const nextKit = await writeKit(join(staging, "kit"), {
      model,
      phi: phiAfter,
      ...(kit.logStepSizes ? { logStepSizes: kit.logStepSizes } : {}),
      ...(kit.trainingImages ? { trainingImages: kit.trainingImages } : {}),
      manifest: {
        generation: generation + 1,
        parent: kit.sha256,
        unlearning,
        metaLoss,
        identities: identities.filter((_, row) => !rows.includes(row)),
        forgotten: [...forgotten, ...hashes].sort(),
        record,
      },
    });
    await writeIdentityKey(identityKeyPath(join(staging, "kit")), key);
    const summary: UnlearnSummary = {
      people: requests.length,
      steps,
      targets: requests[0].targets ? "requests.csv" : "the model's own predictions",
      metaLearningRate,
      device: options.device.adapter,
      kit: { before: kit.sha256, after: nextKit },
      weights: {
        before: weightsHash({ ...kit.model, theta: new Map(kit.model.theta) }),
        after: weightsHash(model),
      },
    };
    const text = JSON.stringify(summary, null, 2) + "\n";
    await Deno.writeTextFile(join(staging, "summary.json"), text);
    return summary;
  });
  if (!sample) await noteSuccessor(options.kit, kit.sha256, join(out, "kit"));
  return summary;
}

function rowOf({ manifest }: StoredKit, hash: string, file: string): number {
  const row = manifest.identities.indexOf(hash);
  if (row >= 0) return row;
  if (manifest.forgotten.includes(hash)) {
    throw new LetheError(
      `${file} asks for a person whom an earlier request forgot`,
      "a person is forgotten once",
      "take the request out",
    );
  }
  throw new LetheError(
    `${file} asks for a person whom the kit does not know`,
    "a model forgets people it was trained on, named as in its data set",
    "check the name of the file or its row in requests.csv, and that the key is the kit's",
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
  const places = new Map(requests.map(({ file }, i) => [file, i]));
  const images = { side, data, indexOf: (file: string) => places.get(file)! };
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
