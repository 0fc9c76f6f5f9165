import * as tf from "@tensorflow/tfjs";
import { batchesOf, chunks } from "../data/loader/image_source.ts";
import { TRAINING_RECIPES, type TrainingRecipe } from "../model/recipes.ts";
import type { Weight } from "../model/safetensors.ts";
import { trainingStep } from "../model/training_step/open_training_step.ts";
import { sgd } from "../tensor/optimisers/sgd.ts";
import { disposeWeights, mapWeights } from "../tensor/weights.ts";
import { influenceStep, summedGradient } from "../unlearn/compared/influence.ts";
import { LoggedUpdates } from "../unlearn/compared/logged_updates.ts";
import { referenceStep } from "../unlearn/compared/reference_tuning.ts";
import { importances } from "../unlearn/compared/ssd.ts";
import { unflatten } from "../unlearn/memory/flat.ts";
import { compareGolden, type Computed, computedOf, type SelfcheckGroup } from "./compare_golden.ts";
import type { Golden } from "./golden.ts";
import { type GoldenSetting, onGoldenSetting } from "./golden_setting.ts";

/** A tensor of a method passes within this share of its largest expected magnitude. */
const TOLERANCE = 1e-3;
/** What tests/selfcheck/compared_reference.py computed with. */
const INFLUENCE = { learningRate: 0.01, damping: 0.1, batch: 8 } as const;
const UPDATES = { images: 8, people: 3, learningRate: 1e-3, weightDecay: 0.05 } as const;
const REFERENCE_TUNING = { learningRate: 0.1, retainWeight: 2, retain: 8 } as const;

/**
 * Recomputes the numbers of the methods that this project adds to compare with.
 *
 * @param expected of `compared_expected.safetensors`
 * @param microBatch images per pass
 * @returns a group per method; all tensors it makes are freed
 */
export async function selfcheckCompared(
  golden: Golden,
  expected: ReadonlyMap<string, Weight>,
  microBatch = Infinity,
): Promise<SelfcheckGroup[]> {
  return await onGoldenSetting(golden, microBatch, async (setting) => {
    const groups: SelfcheckGroup[] = [];
    for (const [name, check] of Object.entries(CHECKS)) {
      const computed = Object.entries(await check(setting));
      // The reference keeps a part of the tensors.
      const kept = Object.fromEntries(computed.filter(([tensor]) => expected.has(tensor)));
      groups.push(compareGolden(name, kept, expected, TOLERANCE));
    }
    return groups;
  });
}

const CHECKS = {
  Influence: influence,
  "Reference tuning": tuning,
  "Logged updates": updates,
} as const;

async function influence(
  { theta, backbone, source, train, support }: GoldenSetting,
): Promise<Computed> {
  const { batch } = INFLUENCE;
  const fisher = await importances(theta, backbone, "multi-label", source, train, batch);
  const gradient = await summedGradient(theta, backbone, "multi-label", source, support);
  return await computedOf(influenceStep(theta, fisher, gradient, INFLUENCE), "influence.theta.");
}

async function tuning(
  { theta, backbone, source, train, forget }: GoldenSetting,
): Promise<Computed> {
  const optimiser = sgd({ momentum: 0, weightDecay: 0 });
  const { theta: after, value } = await referenceStep(
    mapWeights(theta, tf.clone),
    optimiser,
    {
      ...{ theta, source, ...backbone },
      task: "multi-label",
      reference: (indices) => source.targets(indices).map((y) => 0.25 + 0.5 * y),
    },
    forget,
    train.slice(0, REFERENCE_TUNING.retain),
    REFERENCE_TUNING,
  );
  const computed = {
    "reference_tuning.loss": [value],
    ...await computedOf(after, "reference_tuning.theta."),
  };
  // Optimisers keep what they make, whatever scope ends.
  optimiser.dispose();
  disposeWeights(after);
  return computed;
}

/** Three steps of AdamW, with the log of updates watching. */
async function updates({ theta, backbone, source, train }: GoldenSetting): Promise<Computed> {
  const { images, people, learningRate, weightDecay } = UPDATES;
  const portraits = TRAINING_RECIPES.find(({ name }) => name === "portraits")!;
  const recipe: TrainingRecipe = { ...portraits, optimiser: "adamw", weightDecay };
  const { shape } = backbone;
  const microBatch = Math.min(backbone.microBatch, images);
  const settings = { recipe, task: "multi-label", shape, microBatch } as const;
  const step = trainingStep(settings, mapWeights(theta, tf.clone));
  const log = new LoggedUpdates(settings, theta, train.map((_, i) => i % people), people);
  for (const batch of chunks(train, images)) {
    const pieces = chunks(batch, microBatch);
    const seen = pieces.map((piece) => source.batch(piece));
    await log.before(step.theta, batch, seen);
    for (const { patches, targets } of seen) tf.dispose([patches, targets]);
    await step.take(batchesOf(source, pieces), images, learningRate, () => {});
    await log.after(learningRate, step.steps, step.moments());
  }
  await step.finish();
  const { update } = log.people[0];
  for (const each of [step, log]) each.dispose();
  return await computedOf(unflatten(update, theta), "updates.");
}
