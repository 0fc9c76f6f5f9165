import { join } from "@std/path";
import { range } from "../../data/loader/image_source.ts";
import type { Weights } from "../../tensor/weights.ts";
import type { KitMemory } from "../memory/kit_memory.ts";
import { rememberPeople, rowsFolder } from "../memory/remember_people.ts";
import { keptForMethods } from "./kept_for_methods.ts";
import { type KitForMethods, kitForMethods } from "./kit_for_methods.ts";
import type { LearnedEpochs } from "./learn_epochs.ts";
import { memoryRange } from "./method_ranges.ts";
import type { MetaLearningRun } from "./open_run.ts";
import { metaUnlearnRange } from "./step_ranges.ts";
import type { Learned } from "./write_learned_kit.ts";

/** What a kit gets besides the meta-loss. */
export interface KitParts extends Pick<Learned, "stepRanges"> {
  readonly forMethods: KitForMethods;
  readonly memory?: KitMemory;
}

/**
 * What the kit gets when the meta-loss is learned: statistics and settings for the methods compared with,
 * the people's rows where it is to remember them, and how far each method's steps go on simulated requests.
 *
 * @param theta on the device; stays the caller's
 * @param foldModels waits for those that are trained beside
 */
export async function afterEpochs(
  run: MetaLearningRun,
  theta: Weights,
  { parameters, objective }: LearnedEpochs,
  foldModels: () => Promise<void>,
): Promise<KitParts> {
  const { options, settings, data, model, microBatch, images, source, people, random } = run;
  const { out, seed, onProgress } = options;
  const simulated = {
    ...(run.heldOut.length > 0
      ? { people: run.heldOut, heldOut: true }
      : { people: run.trained, heldOut: false }),
    requestSize: settings.requestSize,
    source: settings.varySupport ? run.variedSource(random.fork("step range")) : source,
    random: random.fork("step range people"),
    theta: { device: theta, host: model.theta },
  };
  // First: it draws from the varied photographs like the methods below, which a run that goes on may
  // have kept.
  const ownRange = await metaUnlearnRange(simulated, parameters, objective);
  const { statistics = "all", methodSettings = "published" } = options;
  const trainedOn = {
    ...{ model, theta, microBatch, data, images, source, seed, simulated },
    ...(settings.heldOutImages === undefined ? {} : { unseenImages: settings.heldOutImages }),
    // Batches of one person's images would not be like the training set.
    trained: random.fork("statistics").shuffle(range(run.train.length)),
    ...(onProgress ? { onProgress } : {}),
  };
  const compute = () => kitForMethods(statistics, methodSettings, trainedOn);
  // With a memory the longest part is still to come.
  const forMethods = await (options.memory
    ? keptForMethods(
      join(rowsFolder(out), "for-methods.safetensors"),
      JSON.stringify({ run: run.fingerprint, statistics, methodSettings }),
      compute,
    )
    : compute());
  await foldModels();
  const memory = options.memory && await rememberPeople(options.memory, {
    ...run.foldOptions,
    ...{ theta, source, people, microBatch, seed, out, val: run.val, unseen: run.unseen },
  });
  const remembered = memory && await memoryRange(memory.learned, simulated);
  return {
    forMethods,
    ...(memory ? { memory } : {}),
    stepRanges: {
      ...(ownRange ? { metaunlearn: ownRange } : {}),
      ...(remembered ? { memory: remembered } : {}),
      ...forMethods.stepRanges,
    },
  };
}
