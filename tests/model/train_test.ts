import { assert, assertEquals, assertLess, assertNotEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { ImageSource } from "../../lib/data/loader/image_source.ts";
import { TRAINING_RECIPES, type TrainingRecipe } from "../../lib/model/recipes.ts";
import { type Epoch, train, type Training, type TrainingState } from "../../lib/model/train.ts";
import { openDevice } from "../../lib/tensor/device.ts";
import type { Random } from "../../lib/random.ts";
import { disposeWeights, mapWeights, type Weights } from "../../lib/tensor/weights.ts";
import { onHost } from "../tensor/directions.ts";
import { HAS_ADAPTER, needing } from "../machine.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";
import { TOY_SHAPE, toyObjective } from "../unlearn/toy_objective.ts";

const IMAGES = 7;

const RECIPE: TrainingRecipe = {
  ...TRAINING_RECIPES.find(({ name }) => name === "portraits")!,
  learningRate: 0.02,
  epochs: 3,
  warmUpEpochs: 1,
  batchSize: 4,
};

/** The paper's optimiser at a rate that moves so small a model. */
const SGD: TrainingRecipe = { ...RECIPE, optimiser: "sgd", learningRate: 0.1, weightDecay: 1e-3 };

/** As augmentation does: every epoch the images come a little changed, by that epoch's numbers. */
function noisy(source: ImageSource, random: Random): ImageSource {
  return {
    targets: source.targets,
    batch(indices) {
      const { patches, targets } = source.batch(indices);
      const changed = tf.tidy(() => tf.add(patches, 0.1 * random.normal()));
      patches.dispose();
      return { patches: changed, targets };
    },
  };
}

/** A ViT of one block that is to learn the labels of seven random images by heart. */
async function toyTraining(changes: Partial<Training> = {}) {
  const { theta, phi, objective } = await toyObjective(IMAGES);
  disposeWeights(phi);
  const training: Training = {
    recipe: RECIPE,
    task: "multi-label",
    shape: TOY_SHAPE,
    seed: 5,
    images: IMAGES,
    source: (random) => noisy(objective.source, random),
    validate: () => Promise.resolve(0.5),
    microBatch: 4,
    ...changes,
  };
  return { theta, training, source: objective.source };
}

/** A training's result on the host. */
async function run(training: Training, initial: Weights, from?: TrainingState) {
  const { theta, history } = await train(training, initial, from);
  const host = await onHost(theta);
  disposeWeights(theta);
  return { theta: host, history };
}

const copyOf = (state: TrainingState): TrainingState => ({
  ...state,
  history: [...state.history],
  theta: mapWeights(state.theta, tf.clone),
  best: mapWeights(state.best, tf.clone),
  moments: mapWeights(state.moments, tf.clone),
});

onEachDevice("train lowers the loss and leaves the weights it was given alone", async () => {
  const { theta, training } = await toyTraining({ recipe: { ...RECIPE, epochs: 8 } });
  const before = await onHost(theta);
  let seen = 0;
  const { history, theta: after } = await run(
    { ...training, onImages: (images) => seen += images },
    theta,
  );
  assertEquals(history.map(({ epoch }) => epoch), [1, 2, 3, 4, 5, 6, 7, 8]);
  assertEquals(seen, 8 * IMAGES);
  const losses = history.map(({ loss }) => loss);
  assertLess(losses.at(-1)!, 0.6 * losses[0], `${losses}`);
  assertEquals(await onHost(theta), before);
  for (const name of Object.keys(before)) assertNotEquals(after[name], before[name], name);
  disposeWeights(theta);
});

Deno.test({
  ...needing(
    "adapter",
    HAS_ADAPTER,
    "train in half precision converges as in float32, and repeats bit for bit",
  ),
  async fn() {
    const results = [];
    for (const precision of ["float32", "half", "half"] as const) {
      await openDevice("webgpu", precision);
      const { theta, training } = await toyTraining({ recipe: { ...RECIPE, epochs: 8 } });
      results.push(await run(training, theta));
      disposeWeights(theta);
    }
    await openDevice("webgpu");
    const [exact, half, again] = results;
    assertEquals(again, half);
    assertNotEquals(half.theta["head.weight"], exact.theta["head.weight"]);
    half.history.forEach(({ loss }, epoch) => {
      const due = exact.history[epoch].loss;
      assertLess(Math.abs(loss - due), 0.02 * due, `epoch ${epoch + 1}`);
    });
  },
});

for (const recipe of [RECIPE, SGD]) {
  onEachDevice(
    `train with ${recipe.optimiser}, stopped after any epoch, goes on to the same bits`,
    async () => {
      // Validation prefers the second epoch, so what is kept has to come through the stop as well.
      const validate = (metrics: number[]) => () => Promise.resolve(metrics.shift()!);
      const { theta, training } = await toyTraining({ recipe: { ...recipe, select: "best" } });
      const stops: TrainingState[] = [];
      const whole = await run(
        {
          ...training,
          validate: validate([0.2, 0.9, 0.5]),
          onEpoch: (state) => Promise.resolve(void stops.push(copyOf(state))),
        },
        theta,
      );
      assertEquals(stops.map(({ steps }) => steps), [2, 4, 6]);
      for (const [i, rest] of [[0, [0.9, 0.5]], [1, [0.5]]] as const) {
        const resumed = await run({ ...training, validate: validate([...rest]) }, {}, stops[i]);
        assertEquals(resumed, whole, `stopped after epoch ${i + 1}`);
      }
      const { theta: last, best, moments } = stops[2];
      for (const weights of [last, best, moments, theta]) disposeWeights(weights);
    },
  );
}

onEachDevice("train ends with the same bits for one seed and with others for another", async () => {
  const { theta, training } = await toyTraining({ recipe: { ...RECIPE, epochs: 1 } });
  const first = await run(training, theta);
  assertEquals(await run(training, theta), first);
  const other = await run({ ...training, seed: 6 }, theta);
  assertNotEquals(other.theta["head.weight"], first.theta["head.weight"]);
  disposeWeights(theta);
});

onEachDevice(
  "train keeps the best epoch by validation, the first of equals, or the last",
  async () => {
    for (
      const [select, metrics, kept] of [
        ["best", [0.4, 0.9, 0.9], 2],
        ["best", [0.6, 0.1, 0.5], 1],
        ["last", [0.6, 0.1, 0.5], 3],
      ] as const
    ) {
      const { theta, training } = await toyTraining({ recipe: { ...RECIPE, select } });
      const epochs: Record<string, Float32Array>[] = [];
      const validated: Weights[] = [];
      const result = await run({
        ...training,
        validate: (weights) => Promise.resolve(metrics[validated.push(weights) - 1]),
        onEpoch: async (state) => void epochs.push(await onHost(state.theta)),
      }, theta);
      assertEquals(result.theta, epochs[kept - 1], `${select} of ${metrics}`);
      assertEquals(result.history.map(({ metric }: Epoch) => metric), [...metrics]);
      disposeWeights(theta);
    }
  },
);

onEachDevice("train takes the same steps whatever fits in one pass", async () => {
  const { theta, training, source } = await toyTraining({ recipe: { ...SGD, epochs: 1 } });
  // Without noise: it is drawn once per pass.
  const still = { ...training, source: () => source };
  const whole = await run(still, theta);
  const pieces = await run({ ...still, microBatch: 3 }, theta);
  for (const [name, values] of Object.entries(whole.theta)) {
    values.forEach((x, i) => assert(Math.abs(x - pieces.theta[name][i]) < 1e-5, `${name}[${i}]`));
  }
  disposeWeights(theta);
});

onEachDevice(
  "train asks for an epoch's first images before the one before it is validated",
  async () => {
    const happened: string[] = [];
    const { theta, training, source } = await toyTraining();
    const { theta: after } = await train({
      ...training,
      source: () => ({
        targets: source.targets,
        batches(pieces) {
          happened.push("asked");
          return (async function* () {
            for (const piece of pieces) yield source.batch(piece);
          })();
        },
      }),
      validate: () => (happened.push("validated"), Promise.resolve(0.5)),
    }, theta);
    assertEquals(happened, ["asked", "asked", "validated", "asked", "validated", "validated"]);
    for (const weights of [theta, after]) disposeWeights(weights);
  },
);
