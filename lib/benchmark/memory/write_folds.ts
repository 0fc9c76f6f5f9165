import { samplesOf } from "../../data/split.ts";
import { readModel } from "../../model/checkpoint.ts";
import { Random } from "../../random.ts";
import { foldModels } from "../../run/memory/fold_models.ts";
import { peopleOf } from "../../run/memory/people_of.ts";
import type { OnProgress } from "../../run/progress.ts";
import type { SplitData } from "../../run/split_data.ts";
import type { Device } from "../../tensor/device.ts";
import type { StageInputs } from "../stage.ts";

/**
 * Trains a split's fold models. They lie beside the stage's folder until all are there: a grid that was
 * stopped goes on with the model, and the epoch, that it was at.
 *
 * @param split the split's file
 * @throws LetheError bad input, or `out` exists
 */
export async function writeFolds(
  { count, sets, seed }: { readonly count: number; readonly sets: number; readonly seed: number },
  inputs: StageInputs,
  split: string,
  data: SplitData,
  device: Device,
  out: string,
  onProgress?: OnProgress,
): Promise<void> {
  const unfinished = `${out}.folds`;
  await foldModels({
    ...{ device, split, count, sets },
    modelFolder: inputs.model,
    model: await readModel(inputs.model),
    splitHash: data.sha256,
    data: inputs.data,
    folder: unfinished,
    ...(inputs.init === undefined ? {} : { init: inputs.init }),
    identities: peopleOf(samplesOf(data.split, data.dataset, "train"), 0).identities,
    random: new Random(seed, "folds"),
    ...(onProgress ? { onProgress } : {}),
  });
  await Deno.rename(unfinished, out);
}
