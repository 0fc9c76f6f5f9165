import { Cycle } from "../../data/batches.ts";
import type { Random } from "../../random.ts";
import { addScaled, disposeWeights, type Weights } from "../../tensor/weights.ts";
import type { Person } from "../meta_unlearn/simulate_requests.ts";
import type { DivergenceGradients } from "./divergence_gradients.ts";
import { addTo, flatten, unflatten } from "./flat.ts";
import type { MemoriseRecipe, MemoryContext } from "./memory_context.ts";
import { preconditionAll, type StepSettings } from "./preconditioner.ts";

/** Passes of the power iteration: the eigenvalue found is a lower bound, within a few per cent by then. */
const PASSES = 10;
/** Length of the differences that stand for derivatives, as a share of theta's own. */
const DIFFERENCE = 0.02;
/** Images of others by which the curvature is measured, for each that a round takes. */
const MORE = 2;

/**
 * The largest eigenvalue of P H, with H the Hessian at theta of a request's objective, by power iteration
 * on differences of gradients. Steps beyond 2 over it leave the valley (with momentum beta, beyond
 * 2 (1 + beta) over it), so that steps as a share of that are stable for any model and any request.
 *
 * @param group the request's people
 * @returns greater than 0
 */
export async function curvature(
  { theta, source, people, val, reference, original, moments }: MemoryContext,
  settings: StepSettings,
  { retainWeight, valWeight, retainImages }: MemoriseRecipe,
  gradients: DivergenceGradients,
  group: readonly Person[],
  random: Random,
): Promise<number> {
  const chosen = new Set(group.map(({ row }) => row));
  const others = people.flatMap(({ row, images }) => chosen.has(row) ? [] : images);
  const parts = ([
    [retainWeight, others, MORE * retainImages],
    [valWeight, val, MORE * Math.ceil(retainImages / 2)],
  ] as const)
    .filter(([weight, images]) => weight > 0 && images.length > 0)
    .map(([weight, images, count]) => ({
      weight: weight * group.length,
      images: new Cycle(images, random).take(Math.min(count, images.length)),
    }));
  const gradientAt = async (weights: Weights): Promise<Float32Array> => {
    const sum = new Float32Array(sizeOf(theta));
    for (const { images } of group) {
      addTo(sum, await gradients.of(weights, weights, source, images, reference), 1);
    }
    for (const { weight, images } of parts) {
      addTo(sum, await gradients.of(weights, weights, source, images, original), weight);
    }
    return sum;
  };
  const precondition = (values: Float32Array): Weights => {
    const plain = unflatten(values, theta);
    const step = preconditionAll(plain, moments, settings);
    disposeWeights(plain);
    return step;
  };
  const length = norm(await flatten(theta));
  const before = await gradientAt(theta);
  let direction = Float32Array.from(before, () => random.normal());
  let found = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    const step = precondition(direction);
    const along = await flatten(step);
    const share = DIFFERENCE * length / Math.max(norm(along), 1e-30);
    const moved = addScaled(theta, step, share);
    const after = await gradientAt(moved);
    for (const weights of [step, moved]) disposeWeights(weights);
    const product = after.map((x, i) => (x - before[i]) / share);
    found = dot(product, along) / Math.max(dot(direction, along), 1e-30);
    const scale = 1 / Math.max(norm(product), 1e-30);
    direction = product.map((x) => x * scale);
  }
  return Math.max(Math.abs(found), 1e-12);
}

function sizeOf(weights: Weights): number {
  return Object.values(weights).reduce((sum, { size }) => sum + size, 0);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function norm(a: Float32Array): number {
  return Math.sqrt(dot(a, a));
}
