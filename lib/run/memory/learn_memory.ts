import { predict } from "../../model/predict.ts";
import { rowBytes } from "../../model/kit/memory_row.ts";
import type { Weight } from "../../model/safetensors.ts";
import type { Random } from "../../random.ts";
import { rowStep } from "../../unlearn/memory/row_step.ts";
import type { Person } from "../../unlearn/meta_unlearn/simulate_requests.ts";
import { RowFolder } from "./kept_rows.ts";
import { memoriseRows } from "./memorise_rows.ts";
import type { MemoryInputs, MemorySettings } from "./memory_inputs.ts";
import { Logits } from "./reference_answers.ts";
import { type LearnedMemory, scaleRows } from "./scale_rows.ts";

/**
 * Writes down what the model memorised of each person: moments of gradients, rows by rounds of
 * simulated requests, the learned settings, the rank, and a scale by the size of the request. The
 * scales are chosen on simulated requests of each fold's people, against the model that never saw
 * them, learned settings without those of one fold. Who will really ask plays no part.
 */
export async function learnMemory(
  inputs: MemoryInputs,
  settings: MemorySettings,
  ranks: readonly (number | null)[],
  random: Random,
): Promise<LearnedMemory[]> {
  const { theta, config, microBatch, source, people, val, onProgress } = inputs;
  const own = new Logits();
  const everything = [...people.flatMap(({ images }) => images), ...val];
  const said = await predict(theta, config, source, everything, microBatch);
  own.set(everything, said.logits);

  const features = centroids(said.features, config.dim, people);
  const shapes = new Map(Object.entries(theta).map(([name, { shape }]) => [name, shape]));
  const kept: RowFolder[] = [];
  for (const rank of ranks) {
    // Twice a row's halves.
    const bytes = 2 * people.length * rowBytes(shapes, rank, config.dim);
    kept.push(await RowFolder.make(inputs.rowsFolder, rank, bytes, inputs.rowFiles?.mostInMemory));
  }
  const keep = async (step: ReadonlyMap<string, Weight>, row: number) => {
    for (const [i, rank] of ranks.entries()) {
      await kept[i].add({ step: rowStep(step, rank), centroid: features[row] });
    }
    onProgress?.({ stage: "rows", done: row + 1, total: people.length, unit: "people" });
  };
  if (inputs.steps) { for (const { row } of people) await keep(await inputs.steps(row), row); }
  else await memoriseRows(inputs, settings, own, random, keep);
  return await scaleRows(inputs, settings, ranks, own, kept, random);
}

/** Mean features by person. @param features of the people's images, one person after another */
function centroids(features: Float32Array, dim: number, people: readonly Person[]): Float32Array[] {
  let at = 0;
  return people.map(({ images }) => {
    const mean = new Float32Array(dim);
    for (const _ of images) {
      for (let k = 0; k < dim; k++) mean[k] += features[at + k] / images.length;
      at += dim;
    }
    return mean;
  });
}
