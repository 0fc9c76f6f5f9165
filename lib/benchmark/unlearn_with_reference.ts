import { PASS_SIZE } from "../unlearn/pass_size.ts";
import { join } from "@std/path";
import { joinedSamples } from "../data/packed_samples.ts";
import { samplesOf } from "../data/split.ts";
import { LetheError } from "../error.ts";
import { readModel } from "../model/checkpoint.ts";
import { uploadWeights } from "../model/device_weights.ts";
import { identityHash, readIdentityKey } from "../model/kit/identity_key.ts";
import { readKit } from "../model/kit/read_kit.ts";
import { foldAnswers } from "../run/memory/fold_answers.ts";
import type { SplitData } from "../run/split_data.ts";
import type { SplitImages } from "../run/split_images.ts";
import { range } from "../data/loader/image_source.ts";
import { Random } from "../random.ts";
import { disposeWeights, type Weights } from "../tensor/weights.ts";
import { type MethodName, methodOf } from "../unlearn/methods.ts";
import type { ChosenSettings } from "../run/choose_settings.ts";
import { PREDICTED_PARTS } from "./predictions/parts.ts";
import { writePredictions } from "./predictions/write_predictions.ts";
import { RESULT_FILE, type StageInputs } from "./stage.ts";
import { disposeStatistics } from "../unlearn/training_statistics.ts";
import { readStatistics } from "./statistics.ts";

/** A method, ready to run on either model. */
export interface ReadyMethod {
  /** @returns theta_u, the caller's; `theta` stays the caller's */
  run(theta: Weights): Promise<Weights>;
  dispose(): void;
}

/**
 * Runs one method on the original model and, as RMIA's reference, on the retrained one with the same
 * phi or statistics (App. B); writes what both then predict as the models `unlearned` and `reference`.
 *
 * @param method is disposed here
 * @throws LetheError bad input, or `out` exists
 */
export async function unlearnBoth(
  method: ReadyMethod,
  inputs: StageInputs,
  data: SplitData,
  images: SplitImages,
  out: string,
): Promise<void> {
  const afterwards = async (folder: string) => {
    const { config, theta: host } = await readModel(folder);
    const theta = uploadWeights(host);
    const started = performance.now();
    const after = await method.run(theta);
    const seconds = (performance.now() - started) / 1000;
    const dispose = () => [theta, after].forEach(disposeWeights);
    return { config, after, seconds, dispose };
  };
  const unlearned = await afterwards(inputs.model);
  const { config, seconds } = unlearned;
  const models = ["unlearned", "reference"];
  const plan = { models, parts: PREDICTED_PARTS, wanted: "logits", seconds } as const;
  await writePredictions(out, config, data, images, plan, async (predict) => {
    await predict("unlearned", unlearned.after);
    unlearned.dispose();
    const reference = await afterwards(inputs.oracle);
    await predict("reference", reference.after);
    reference.dispose();
  });
  method.dispose();
}

/**
 * A method that needs a kit's own parts, on the split's support images.
 *
 * @throws LetheError another split's kit
 */
export async function kitMethod(
  method: MethodName,
  seed: number,
  inputs: StageInputs,
  data: SplitData,
  images: SplitImages,
): Promise<ReadyMethod> {
  const stored = await readKit(inputs.kit);
  const { config } = stored.model;
  const samples = samplesOf(data.split, data.dataset, "support");
  const source = images.source(samples, config);
  const key = await readIdentityKey(inputs.identityKey);
  const rows = samples.map(({ identity }) =>
    stored.manifest.identities.indexOf(identityHash(key, identity))
  );
  if (rows.includes(-1)) {
    throw new LetheError(
      `${inputs.kit} does not know everyone whom the split forgets`,
      "a kit and its split belong together",
      "remove that folder: the grid makes it again",
    );
  }
  const context = {
    shape: config,
    microBatch: 16,
    task: config.task,
    source,
    kit: { stored, rows },
    random: new Random(seed, method),
  };
  const request = { support: range(rows.length), forget: [], retain: [] };
  return {
    run: async (theta) => (await methodOf(method).run({ theta, ...context }, request, {})).theta,
    dispose() {},
  };
}

/** A method that the paper compares with, at the settings that were chosen. @throws LetheError bad input */
export async function baselineMethod(
  method: MethodName,
  seed: number,
  inputs: StageInputs,
  data: SplitData,
  images: SplitImages,
): Promise<ReadyMethod> {
  const { split, dataset } = data;
  const model = await readModel(inputs.model);
  const { config } = model;
  const text = await Deno.readTextFile(join(inputs.choose, RESULT_FILE));
  const { chosen } = JSON.parse(text) as ChosenSettings;
  const parts = (["support", "forget", "retain"] as const)
    .map((part) => samplesOf(split, dataset, part));
  const source = images.source(joinedSamples(parts), config);
  const asked = joinedSamples(parts.slice(0, 2));
  const [support, forget, retain] = parts.map((part, k) => {
    const before = parts.slice(0, k).reduce((sum, { length }) => sum + length, 0);
    return range(part.length).map((i) => before + i);
  });
  const statistics = inputs.statistics ? await readStatistics(inputs.statistics) : undefined;
  const references = inputs.folds
    ? await foldAnswers(inputs.folds, model, data, source, asked, PASS_SIZE)
    : undefined;
  const context = {
    shape: config,
    microBatch: PASS_SIZE,
    task: config.task,
    source,
    ...(statistics ? { statistics } : {}),
    ...(references ? { references } : {}),
  };
  return {
    run: async (theta) => {
      const random = new Random(seed, method);
      const request = { support, forget, retain };
      return (await methodOf(method).run({ theta, random, ...context }, request, chosen)).theta;
    },
    dispose: () => disposeStatistics(statistics),
  };
}
