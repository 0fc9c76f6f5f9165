import { samplesOf } from "../data/split.ts";
import { type StoredImages, storedSource } from "../data/stored_source.ts";
import { LetheError } from "../error.ts";
import { readModel } from "../model/checkpoint.ts";
import { uploadWeights } from "../model/device_weights.ts";
import { identityHash, readIdentityKey } from "../model/identity_key.ts";
import { readKit } from "../model/kit.ts";
import { inputFormat, type SplitData } from "../run/split_data.ts";
import { disposeWeights, type Weights } from "../tensor/weights.ts";
import { unlearn } from "../unlearn/unlearn.ts";
import {
  type PartPredictions,
  PREDICTED_PARTS,
  predictParts,
  writePredictions,
} from "./predictions.ts";
import type { StageInputs, StageTask } from "./stage.ts";

/**
 * Runs one method on the original model and, as RMIA's reference, on the retrained one with the same
 * phi (App. B); writes what both then predict as the models `unlearned` and `reference`.
 *
 * @param images decoded images of the split at a side
 * @throws LetheError bad input, or `out` exists
 */
export async function unlearnBoth(
  _task: Extract<StageTask, { kind: "unlearn" }>,
  inputs: StageInputs,
  data: SplitData,
  images: (side: number) => Promise<StoredImages>,
  out: string,
): Promise<void> {
  const kit = await readKit(inputs.kit);
  const { config } = kit.model;
  const stored = await images(config.imageSize);
  const support = samplesOf(data.split, data.dataset, "support");
  const source = storedSource(stored, support, inputFormat(config));
  const key = await readIdentityKey(inputs.identityKey);
  const rows = support.map(({ identity }) =>
    kit.manifest.identities.indexOf(identityHash(key, identity))
  );
  if (rows.includes(-1)) {
    throw new LetheError(
      `${inputs.kit} does not know everyone whom the split forgets`,
      "a kit and its split belong together",
      "remove that folder: the grid makes it again",
    );
  }
  const phi = uploadWeights(kit.phi);
  const logStepSizes = kit.logStepSizes && uploadWeights(kit.logStepSizes);
  const { metaLearningRate, inputs: metaInputs, requestSize } = kit.manifest.unlearning;
  const settings = { metaLearningRate, inputs: metaInputs, shape: config, microBatch: 16 };
  const parameters = logStepSizes ? { phi, logStepSizes } : { phi };

  const afterwards = async (folder: string): Promise<[PartPredictions, number]> => {
    const { theta: host } = await readModel(folder);
    const theta = uploadWeights(host);
    const started = performance.now();
    const { theta: after } = await unlearn(theta, parameters, settings, source, rows, requestSize);
    const seconds = (performance.now() - started) / 1000;
    const parts = await predictParts(after, config, data, stored, PREDICTED_PARTS);
    for (const weights of [theta, after] satisfies Weights[]) disposeWeights(weights);
    return [logitsOnly(parts), seconds];
  };
  const [unlearned, seconds] = await afterwards(inputs.model);
  const [reference] = await afterwards(inputs.oracle);
  disposeWeights(phi);
  disposeWeights(logStepSizes);
  await writePredictions(out, { unlearned, reference }, seconds);
}

function logitsOnly(parts: PartPredictions): PartPredictions {
  return Object.fromEntries(
    Object.entries(parts).map(([part, { logits }]) => [part, { logits }]),
  );
}
