import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { TRAINING_RECIPES, type TrainingRecipe } from "../../../lib/model/recipes.ts";
import { train, type Training } from "../../../lib/model/train.ts";
import { decays } from "../../../lib/model/training_step/training_step.ts";
import { warmUpCosine } from "../../../lib/tensor/schedule.ts";
import { disposeWeights, type Weights } from "../../../lib/tensor/weights.ts";
import { LoggedUpdates } from "../../../lib/unlearn/compared/logged_updates.ts";
import { onHost } from "../../tensor/directions.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";
import { TOY_SHAPE, toyObjective } from "../toy_objective.ts";

/** Whose each image is: two people, and one who is on none. */
const OWNERS = [0, 1, 0, 1, 1, 0, 0];
const PEOPLE = 3;
const ADAMW: TrainingRecipe = {
  ...TRAINING_RECIPES.find(({ name }) => name === "portraits")!,
  learningRate: 0.02,
  weightDecay: 0.1,
  epochs: 3,
  warmUpEpochs: 1,
  batchSize: 4,
};
const SGD: TrainingRecipe = { ...ADAMW, optimiser: "sgd", learningRate: 0.1, weightDecay: 0.01 };

async function toyTraining(recipe: TrainingRecipe) {
  const { theta, phi, objective } = await toyObjective(OWNERS.length);
  disposeWeights(phi);
  const settings = { recipe, task: "multi-label", shape: TOY_SHAPE, microBatch: 3 } as const;
  const training: Training = {
    ...settings,
    seed: 5,
    images: OWNERS.length,
    source: () => objective.source,
    validate: () => Promise.resolve(0.5),
  };
  return { theta, training, log: new LoggedUpdates(settings, theta, OWNERS, PEOPLE) };
}

/** What decay alone makes of a weight, step by step; SGD's goes by the velocity. */
function decayed(recipe: TrainingRecipe, name: string, weight: number, steps: number): number {
  const perEpoch = Math.ceil(OWNERS.length / recipe.batchSize);
  let [value, velocity] = [weight, 0];
  for (let step = 0; step < steps; step++) {
    const rate = warmUpCosine(recipe, step, perEpoch);
    if (recipe.optimiser === "sgd") {
      velocity = recipe.momentum * velocity + recipe.weightDecay * value;
      value -= rate * velocity;
    } else if (decays(name)) value *= 1 - rate * recipe.weightDecay;
  }
  return value;
}

for (const recipe of [ADAMW, SGD]) {
  onEachDevice(
    `LoggedUpdates of everybody and what decay leaves are ${recipe.optimiser}'s weights, which it leaves as they are`,
    async () => {
      const { theta, training, log } = await toyTraining(recipe);
      const before = tf.memory().numTensors;
      const run = async (more: Partial<Training>) => {
        const { theta: after } = await train({ ...training, ...more }, theta);
        const host = await onHost(after);
        disposeWeights(after);
        return host;
      };
      const host = await run({ log });
      log.dispose();
      assertEquals(tf.memory().numTensors, before);
      assertEquals(host, await run({}));

      const initial = await onHost(theta);
      let at = 0;
      for (const name of Object.keys(theta).sort()) {
        const steps = recipe.epochs * Math.ceil(OWNERS.length / recipe.batchSize);
        for (const [i, value] of Array.from(host[name]).entries()) {
          // The softmax knows nothing of a bias of all keys: its gradient is rounding, which Adam magnifies.
          const key = name.endsWith("qkv.bias") && Math.floor(i / TOY_SHAPE.dim) === 1;
          if (key && recipe.optimiser === "adamw") continue;
          const sum = log.people.reduce((total, { update }) => total + update[at + i], 0);
          const due = decayed(recipe, name, initial[name][i], steps) + sum;
          assert(Math.abs(value - due) < 2e-5, `${name}[${i}] is ${value}, the parts are ${due}`);
        }
        at += host[name].length;
      }
      const moved = log.people.map(({ update }) => update.some((x) => Math.abs(x) > 1e-4));
      assertEquals(moved, [true, true, false]);
      disposeWeights(theta as Weights);
    },
  );
}
