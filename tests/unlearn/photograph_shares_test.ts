import { assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { disposeWeights, type Weights } from "../../lib/tensor/weights.ts";
import { justInTime } from "../../lib/unlearn/compared/jit.ts";
import { inputCovariances } from "../../lib/unlearn/compared/input_covariances.ts";
import { projectedGradient } from "../../lib/unlearn/compared/pgu.ts";
import { importances } from "../../lib/unlearn/compared/ssd.ts";
import { photographShares } from "../../lib/unlearn/photograph_shares.ts";
import { unlearn } from "../../lib/unlearn/unlearn.ts";
import { onHost } from "../tensor/directions.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";
import { toyObjective } from "./toy_objective.ts";

/** Photographs 0 and 2 are of one person, 1 of another; in `EVEN` each has two. */
const ASKED = [0, 1, 2];
const PEOPLE = [7, 3, 7];
const EVEN = [0, 1, 2, 1];

/** Whether weights are as far from `from` as is due, within rounding. */
async function assertNear(found: Weights, due: Weights, from?: Weights): Promise<void> {
  const [a, b] = [await onHost(found), await onHost(due)];
  for (const [name, values] of Object.entries(a)) {
    values.forEach((value, i) => assertAlmostEquals(value, b[name][i], 2e-6, name));
  }
  if (from) assertNotEquals(a, await onHost(from));
}

Deno.test("photographShares counts a person as one, and needs no shares where each has one photograph", () => {
  assertEquals(photographShares([7, 3, 7, 7]), [1 / 3, 1, 1 / 3, 1 / 3]);
  assertEquals(photographShares([2, 0, 1]), undefined);
});

onEachDevice(
  "unlearn takes the mean over a person's photographs: as the mean of their two steps",
  async () => {
    const { theta, phi, objective } = await toyObjective(5);
    const { source } = objective;
    const run = async (rows: number[], images: number[], size = 9) => {
      const own = {
        ...source,
        batch: (some: readonly number[]) => source.batch(some.map((i) => images[i])),
      };
      return await unlearn(theta, { phi }, objective, own, rows, size);
    };
    const both = await run([4, 1, 4], ASKED);
    assertEquals(both.steps.map(({ people }) => people), [2]);
    const [one, other] = [await run([4, 1], [0, 1]), await run([1, 4], [1, 2])];
    const mean = tf.tidy(() =>
      Object.fromEntries(
        Object.entries(one.theta).map((
          [name, tensor],
        ) => [name, tf.div(tf.add(tensor, other.theta[name]), 2)]),
      )
    );
    await assertNear(both.theta, mean, theta);
    // In several steps a person's photographs stay together.
    const steps = await run([4, 1, 4], ASKED, 1);
    assertEquals(steps.steps.map(({ people }) => people), [1, 1]);
    for (const weights of [both, one, other, steps].map(({ theta }) => theta)) {
      disposeWeights(
        weights,
      );
    }
    for (const weights of [mean, theta, phi]) disposeWeights(weights);
  },
);

onEachDevice(
  "importances weigh a person's photographs as one, as where everybody had as many",
  async () => {
    const { theta, phi, objective: { shape, source, task } } = await toyObjective(5);
    const backbone = { shape, microBatch: 8 };
    const found = await importances(theta, backbone, task, source, ASKED, 9, { people: PEOPLE });
    const due = await importances(theta, backbone, task, source, EVEN, 9);
    await assertNear(found, due);
    // One person to the batch: that of two photographs first.
    const apart = await importances(theta, backbone, task, source, ASKED, 1, { people: PEOPLE });
    const [first, second] = [
      await importances(theta, backbone, task, source, [0, 2], 2),
      await importances(theta, backbone, task, source, [1], 1),
    ];
    const mean = tf.tidy(() =>
      Object.fromEntries(
        Object.entries(first).map((
          [name, tensor],
        ) => [name, tf.div(tf.add(tensor, second[name]), 2)]),
      )
    );
    await assertNear(apart, mean);
    for (const weights of [found, due, apart, first, second, mean, theta, phi]) {
      disposeWeights(weights);
    }
  },
);

onEachDevice(
  "inputCovariances and projectedGradient weigh a person's photographs as one",
  async () => {
    const { theta, phi, objective: { shape, source, task } } = await toyObjective(5);
    const backbone = { shape, microBatch: 2 };
    const found = await inputCovariances(theta, backbone, source, ASKED, { people: PEOPLE });
    const even = await inputCovariances(theta, backbone, source, EVEN);
    const half = tf.tidy(() =>
      Object.fromEntries(Object.entries(even).map(([name, tensor]) => [name, tf.div(tensor, 2)]))
    );
    const [a, b] = [await onHost(found), await onHost(half)];
    for (const [name, values] of Object.entries(a)) {
      values.forEach((value, i) =>
        assertAlmostEquals(value, b[name][i], 1e-5 * Math.max(1, Math.abs(value)))
      );
    }
    const training = await inputCovariances(theta, backbone, source, [0, 1, 2, 3, 4]);
    const twice = tf.tidy(() =>
      Object.fromEntries(
        Object.entries(training).map(([name, tensor]) => [name, tf.mul(tensor, 2)]),
      )
    );
    // Few and many steps, which are taken differently on WebGPU.
    for (const epochs of [1, 3]) {
      const settings = { learningRate: 0.5, epochs, gamma: 0.5 };
      const run = (images: number[], covariances: Weights, people?: number[]) =>
        projectedGradient(theta, backbone, task, source, images, covariances, settings, people);
      const [own, due] = [await run(ASKED, training, PEOPLE), await run(EVEN, twice)];
      await assertNear(own.theta, due.theta, theta);
      for (const { theta } of [own, due]) disposeWeights(theta);
    }
    for (const weights of [found, even, half, training, twice, theta, phi]) disposeWeights(weights);
  },
);

onEachDevice("justInTime weighs a person's photographs as one", async () => {
  const { theta, phi, objective: { shape, source } } = await toyObjective(5);
  const backbone = { shape, microBatch: 8 };
  const run = async (images: number[], rate: number, people?: number[]) => {
    const { patches, targets } = source.batch(images);
    // Every photograph gets the same noise, wherever it stands.
    const noise = tf.tidy(() =>
      tf.tile(
        tf.reshape(tf.sin(tf.range(0, patches.size / images.length)), [
          patches.shape[0] / images.length,
          patches.shape[1]!,
        ]),
        [images.length, 1],
      )
    );
    const { theta: after } = await justInTime(theta, backbone, patches, [noise], rate, people);
    tf.dispose([patches, targets, noise]);
    return after;
  };
  const [found, due] = [await run(ASKED, 0.1, PEOPLE), await run(EVEN, 0.05)];
  await assertNear(found, due, theta);
  for (const weights of [found, due, theta, phi]) disposeWeights(weights);
});
