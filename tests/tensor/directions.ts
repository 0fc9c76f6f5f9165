import * as tf from "@tensorflow/tfjs";
import type { Random } from "../../lib/random.ts";
import { addScaled, disposeWeights, mapWeights, type Weights } from "../../lib/tensor/weights.ts";

/** Standard normal numbers of the shapes of `like`, scaled to length one over the whole set. */
export function unitDirection(like: Weights, random: Random): Weights {
  const drawn = Object.values(like).map(({ size }) =>
    Float64Array.from({ length: size }, () => random.normal())
  );
  const norm = Math.sqrt(drawn.flatMap((values) => [...values]).reduce((s, x) => s + x * x, 0));
  return Object.fromEntries(
    Object.entries(like).map(([name, { shape }], i) => [
      name,
      tf.tensor(Float32Array.from(drawn[i], (x) => x / norm), shape),
    ]),
  );
}

/** Inner product of two sets of weights, summed on the host in float64. */
export async function inner(a: Weights, b: Weights): Promise<number> {
  let sum = 0;
  for (const [name, tensor] of Object.entries(a)) {
    const [x, y] = await Promise.all([tensor.data(), b[name].data()]);
    for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  }
  return sum;
}

/** Slope of f along a direction, by central differences. */
export async function centralDifference(
  f: (weights: Weights) => Promise<number>,
  at: Weights,
  direction: Weights,
  step: number,
): Promise<number> {
  const above = addScaled(at, direction, step);
  const below = addScaled(at, direction, -step);
  const slope = (await f(above) - await f(below)) / (2 * step);
  disposeWeights(above);
  disposeWeights(below);
  return slope;
}

/** A set of weights on the host, to be compared bit for bit. */
export async function onHost(weights: Weights): Promise<Record<string, Float32Array>> {
  const host: Record<string, Float32Array> = {};
  for (const [name, tensor] of Object.entries(mapWeights(weights, tf.clone))) {
    host[name] = Float32Array.from(await tensor.data());
    tensor.dispose();
  }
  return host;
}
