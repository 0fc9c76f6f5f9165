import { join } from "@std/path";
import { samplesOf } from "../../data/split.ts";
import { readPlainFile } from "../../files/plain_file.ts";
import { buildFolder } from "../../files/write_whole.ts";
import { readModel } from "../../model/checkpoint.ts";
import { uploadWeights } from "../../model/device_weights.ts";
import { decodeRow, encodeRow, type MemoryRow } from "../../model/kit/memory_row.ts";
import { layerShapes } from "../../model/kit/row_layers.ts";
import { thetaShapes } from "../../model/theta_shapes.ts";
import { type LearnedMemory, requestScales } from "../../run/memory/scale_rows.ts";
import { makeMemory, type MakeMemoryOptions } from "../../run/memory/make_memory.ts";
import { peopleOf } from "../../run/memory/people_of.ts";
import type { SplitData } from "../../run/split_data.ts";
import type { SplitImages } from "../../run/split_images.ts";
import { disposeWeights } from "../../tensor/weights.ts";
import { requestFactor } from "../../unlearn/memory/request_scale.ts";
import { scaledRow, subtractRows } from "../../unlearn/memory/row_step.ts";
import { RESULT_FILE, type StageInputs } from "../stage.ts";
import type { ReadyMethod } from "../unlearn_with_reference.ts";

/** Largest row: ViT-B's whole one takes a sixth. */
const MAX_ROW_BYTES = 2 ** 30;

/** A row's file; the stage is as private as the data, so that nothing is sealed in it. */
function rowPath(folder: string, rank: number | null, row: number): string {
  return join(folder, `rank_${rank ?? "full"}`, `${row}.safetensors`);
}

/** What the stage needs besides its settings. */
export type MemoriseOptions = Pick<
  MakeMemoryOptions,
  | "device"
  | "settings"
  | "ranks"
  | "seed"
  | "count"
  | "sets"
  | "microBatch"
  | "storedUpdates"
  | "onProgress"
>;

/**
 * Writes what the model memorised of each training person, at each rank, and how it was chosen.
 *
 * @param inputs `model`, `folds` and `split`'s file
 * @throws LetheError bad input, or `out` exists
 */
export async function writeMemoryRows(
  inputs: StageInputs & { readonly splitFile: string },
  data: SplitData,
  images: SplitImages,
  options: MemoriseOptions,
  out: string,
): Promise<void> {
  const model = await readModel(inputs.model);
  const train = samplesOf(data.split, data.dataset, "train");
  const val = samplesOf(data.split, data.dataset, "val");
  const source = images.source([...train, ...val], model.config);
  const { identities, people } = peopleOf(train, 0);
  const theta = uploadWeights(model.theta);
  const { learned } = await makeMemory({
    ...options,
    ...{ model, theta, source, identities, people },
    modelFolder: inputs.model,
    split: inputs.splitFile,
    splitHash: data.sha256,
    data: inputs.data,
    folder: inputs.folds,
    rowsFolder: `${out}.rows`,
    val: val.map((_, i) => train.length + i),
  });
  disposeWeights(theta);
  await buildFolder(out, async (staging) => {
    for (const { rank, rows } of learned) {
      await Deno.mkdir(join(staging, `rank_${rank ?? "full"}`));
      for (let row = 0; row < rows.count; row++) {
        await Deno.writeFile(rowPath(staging, rank, row), encodeRow(await rows.read(row)));
      }
    }
    const chosen = learned.map(({ rank, layers, scales }) => ({ rank, layers, scales }));
    await Deno.writeTextFile(join(staging, RESULT_FILE), JSON.stringify(chosen) + "\n");
  });
  // Rows that fit the memory, and logged updates, leave no folder.
  await Deno.remove(`${out}.rows`, { recursive: true }).catch(() => {});
}

/**
 * Rows of some people, as a kit would give them to a request.
 *
 * @param before people who were forgotten already
 */
export async function readMemoryRows(
  inputs: StageInputs,
  rank: number | null,
  { split, dataset }: SplitData,
  asked: readonly string[],
  before = 0,
): Promise<MemoryRow[]> {
  const { config } = await readModel(inputs.model);
  const text = await Deno.readTextFile(join(inputs.memory, RESULT_FILE));
  const chosen: readonly Pick<LearnedMemory, "rank" | "layers" | "scales">[] = JSON.parse(text);
  const own = chosen.find((each) => each.rank === rank)!;
  const scales = requestScales(own.scales);
  const factor = requestFactor(scales, before + asked.length);
  const { identities } = peopleOf(samplesOf(split, dataset, "train"), 0);
  const shapes = layerShapes(thetaShapes(config, config.labels.length), own.layers);
  return await Promise.all(asked.map(async (identity) => {
    const path = rowPath(inputs.memory, rank, identities.indexOf(identity));
    const bytes = await readPlainFile(path, { maxBytes: MAX_ROW_BYTES });
    return scaledRow(decodeRow(bytes, shapes, rank, config.dim, path), factor);
  }));
}

/** Memory as a method of the grid, for the split's people to forget. */
export async function memoryMethod(
  inputs: StageInputs,
  rank: number | null,
  data: SplitData,
): Promise<ReadyMethod> {
  const rows = await readMemoryRows(inputs, rank, data, data.split.identities.forget);
  return { run: (theta) => Promise.resolve(subtractRows(theta, rows)), dispose() {} };
}
