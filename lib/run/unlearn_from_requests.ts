import { join } from "@std/path";
import type { ImageSource } from "../data/loader/image_source.ts";
import { imagesInMemory } from "../data/loader/images_in_memory.ts";
import { type ForgetRequest, readRequests } from "../data/requests/requests.ts";
import type { RequestFiles } from "../data/requests/request_rows.ts";
import { storedSource } from "../data/loader/stored_source.ts";
import { LetheError } from "../error.ts";
import { weightChange } from "../model/weight_change.ts";
import { MODEL_FILE } from "../model/checkpoint.ts";
import type { ModelConfig } from "../model/config.ts";
import { downloadWeights, uploadWeights } from "../model/device_weights.ts";
import { openKit, readKit, readKitConfig } from "../model/kit/read_kit.ts";
import { MEMORY_INDEX } from "../model/kit/memory_index.ts";
import { writeNextMemory } from "../model/kit/read_memory.ts";
import { readMemoryIndex } from "../model/kit/read_memory_index.ts";
import { writeNextKit } from "../model/kit/next_kit.ts";
import { microBatchWithin, refuseBeyond } from "../model/memory_plan.ts";
import { predict } from "../model/predict.ts";
import type { Device } from "../tensor/device.ts";
import { useKernels } from "../tensor/kernels/autotune/kernel_choice.ts";
import { disposeWeights, type Weights } from "../tensor/weights.ts";
import { withoutRows } from "../unlearn/unlearn.ts";
import { judgeStep } from "../unlearn/judge_step.ts";
import { checkMethod, statisticsNeeded } from "../unlearn/check_method.ts";
import { type MethodChoice, unlearnFromKit } from "../unlearn/unlearn_from_kit.ts";
import { inputFormat, storedForm } from "../model/input_format.ts";
import { range } from "../data/loader/image_source.ts";
import { ownStep } from "./own_step.ts";
import { checkMatch, requestedMemory } from "./requested_memory.ts";
import type { RequestedRow, UnlearnSummary } from "./unlearn_summary.ts";

/** What {@link unlearnRows} needs. It reads the kit and the requests; nothing else. */
export interface UnlearnRowsOptions {
  /** Opens the device, once all input has been read. */
  readonly openDevice: () => Promise<Device>;
  readonly kit: string;
  readonly support: string;
  /** Every photograph of `support`, sorted by file name. */
  readonly rows: readonly RequestedRow[];
  /** The files of `support`, where they are known and it may not be looked into. */
  readonly files?: RequestFiles;
  /** An existing folder, which gets `model/` and `kit/`. */
  readonly folder: string;
  readonly choice: MethodChoice;
  /** Images per pass, or fewer where the device's memory holds no more. */
  readonly microBatch: number;
  /** Bytes of device memory to keep within. */
  readonly memoryLimit?: number | undefined;
  /** Takes a step of a length that no simulated request showed. */
  readonly allowUnusualStep?: boolean;
  /** False takes photographs that seem to show somebody else. */
  readonly matchCheck?: boolean;
}

/**
 * Forgets the people of some embedding rows by the method chosen: writes the new weights and the kit
 * for the next request, without these rows. It needs no key: who they are is not its business.
 *
 * The memory limit is held against the model's size before the model is read; of the kit's files each is
 * read once, and those that the method does not use are passed on unread.
 *
 * @throws LetheError bad input; a method that the kit lacks the statistics of; requests other than
 *   `rows` names; a step that changes nothing, leaves numbers that are not finite, or is unusual
 */
export async function unlearnRows(options: UnlearnRowsOptions): Promise<UnlearnSummary> {
  const { support, folder, choice, allowUnusualStep = false } = options;
  const { method } = choice;
  const stored = await openKit(options.kit);
  checkMethod(stored.manifest, method);
  const config = await readKitConfig(options.kit, stored);
  const labels = config.labels.length;
  const { memoryLimit } = options;
  if (memoryLimit !== undefined) refuseBeyond(config, labels, "unlearn", memoryLimit);
  const read = await readRequests(support, config, storedForm(config), options.files);
  checkFiles(support, read, options.rows);
  const { requests, rows } = withoutRepeats(support, read, options.rows);
  const people = [...new Set(rows)];
  const kit = await readKit(options.kit, {
    statistics: statisticsNeeded(method),
    trainingImages: false,
    opened: { stored, config },
  });
  const index = await readMemoryIndex(options.kit, kit.manifest);
  const each = people.map((person) => options.rows.find(({ row }) => row === person)!);
  const memory = await requestedMemory(options.kit, kit, index, each, method);
  const device = await options.openDevice();
  useKernels(kit.model.kernels);

  const microBatch = microBatchWithin(config, labels, "unlearn", options.microBatch, memoryLimit);
  const theta = uploadWeights(kit.model.theta);
  const source = await requestSource(requests, config, theta, microBatch);
  const names = requests.map(({ file }) => join(support, file));
  const match = memory && options.matchCheck !== false
    ? await checkMatch(
      index!,
      rows.map((row) => memory[people.indexOf(row)]),
      theta,
      config,
      source,
      microBatch,
      names,
    )
      .catch((error) => {
        disposeWeights(theta);
        throw error;
      })
    : null;
  const { theta: after, steps, settings, staleStatistics } = await unlearnFromKit(
    kit,
    theta,
    source,
    rows,
    choice,
    microBatch,
    memory,
  );
  const range = kit.manifest.stepRanges?.[method] ??
    await ownStep(kit, theta, source, rows, choice, microBatch, memory);
  disposeWeights(theta);
  const thetaAfter = await downloadWeights(after);
  disposeWeights(after);
  const change = weightChange(kit.model.theta, thetaAfter);
  // A method that takes all people at once goes as far for them as several requests of N_S.
  const { requestSize } = kit.manifest.unlearning;
  const stepsOf = Math.max(steps.length, Math.ceil(people.length / requestSize));
  const { generation } = kit.manifest;
  const verdict = judgeStep(change, range, stepsOf, allowUnusualStep, generation);
  const phi = uploadWeights(kit.phi);
  const nextPhi = withoutRows(phi, people);
  const phiAfter = await downloadWeights(nextPhi);
  for (const weights of [phi, nextPhi]) disposeWeights(weights);

  const next = await writeNextKit(folder, options.kit, kit, {
    theta: thetaAfter,
    phi: phiAfter,
    rows: people,
    ...(index
      ? {
        anew: {
          [MEMORY_INDEX]: (path: string) =>
            writeNextMemory(
              path,
              index,
              people.map((row) => kit.manifest.identities[row]),
              memory !== undefined,
            ),
        },
      }
      : {}),
  });
  return {
    people: people.length,
    photographs: requests.length,
    method,
    steps,
    settings,
    ...(memory ? { match } : {}),
    staleStatistics: staleStatistics || (memory !== undefined && index!.stale),
    change: { ...change, ...verdict },
    targets: requests[0].targets ? "requests.csv" : "the model's own predictions",
    device: device.adapter,
    kit: { before: kit.id, after: next.id },
    weights: {
      before: kit.manifest.files.find(({ file }) => file === MODEL_FILE)!.sha256,
      after: next.weights,
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

/**
 * The photographs, each picture of a person once: two copies of one file weigh no more than it.
 *
 * @returns with the embedding row of each
 * @throws LetheError two copies have different labels
 */
function withoutRepeats(
  support: string,
  requests: readonly ForgetRequest[],
  asked: readonly RequestedRow[],
): { requests: ForgetRequest[]; rows: number[] } {
  const kept: number[] = [];
  const seen = new Map<string, number>();
  for (const [i, { file, sha256, targets }] of requests.entries()) {
    const picture = `${sha256} ${asked[i].row}`;
    const first = seen.get(picture);
    if (first === undefined) {
      seen.set(picture, i);
      kept.push(i);
    } else if (JSON.stringify(requests[first].targets) !== JSON.stringify(targets)) {
      throw new LetheError(
        `${join(support, file)} is the picture ${requests[first].file} with other labels`,
        "a picture has one set of labels",
        "correct requests.csv or remove one of them",
      );
    }
  }
  return { requests: kept.map((i) => requests[i]), rows: kept.map((i) => asked[i].row) };
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
  requests.forEach(({ rgb }, i) => data.set(rgb, i * size));
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
