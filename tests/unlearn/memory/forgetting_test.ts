import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { Random } from "../../../lib/random.ts";
import { disposeWeights, mapWeights, type Weights } from "../../../lib/tensor/weights.ts";
import { flatten } from "../../../lib/unlearn/memory/flat.ts";
import { Forgetting } from "../../../lib/unlearn/memory/forgetting.ts";
import { asMatrix, isMatrix } from "../../../lib/unlearn/memory/gradient_moments.ts";
import { forgetRows } from "../../../lib/unlearn/memory/memorise.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";
import { toyObjective } from "../toy_objective.ts";

onEachDevice("Forgetting gives forgetRows's bits, request after request", async () => {
  const { theta, phi } = await toyObjective(2);
  const random = new Random(0, "forgetting");
  const noise = (shape: readonly number[]) =>
    tf.tensor(
      Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, () => random.normal()),
      [...shape],
    );
  const bases = (side: 0 | 1): Weights =>
    Object.fromEntries(
      Object.entries(theta).filter(([name, { shape }]) => isMatrix(name, shape))
        .map(([name, weight]) => {
          const size = tf.tidy(() => asMatrix(weight).shape[side]);
          return [name, noise([size, size])];
        }),
    );
  const diagonal = mapWeights(theta, (weight, name) => {
    const positive = tf.abs(noise(weight.shape));
    return isMatrix(name, weight.shape) ? asMatrix(positive) : positive;
  });
  const moments = { left: bases(0), right: bases(1), diagonal };
  const each = (value: number) => mapWeights(theta, () => tf.scalar(value));
  const settings = { logSize: each(-2), logDamping: each(-1), power: each(0.5) };
  const length = Object.values(theta).reduce((sum, { size }) => sum + size, 0);
  const row = () => Float32Array.from({ length }, () => random.normal());
  const requests = [[row()], [row(), row()], [row(), row(), row()]];
  const forgetting = new Forgetting(theta, moments, settings);
  let before: Weights | null = null;
  for (const rows of requests) {
    const due = forgetRows(theta, rows, moments, settings);
    const moved = forgetting.of(rows);
    // Who keeps a model by its identity must not take the next one for it.
    assert(moved !== before);
    before = moved;
    assertEquals(await flatten(moved), await flatten(due));
    disposeWeights(due);
  }
  forgetting.dispose();
  const { left, right } = moments;
  const sets = [theta, phi, diagonal, left, right, ...Object.values(settings)];
  for (const weights of sets) disposeWeights(weights);
});
