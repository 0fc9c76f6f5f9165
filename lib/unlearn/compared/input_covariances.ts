import * as tf from "@tensorflow/tfjs";
import { chunks, type ImageFeed, warmed } from "../../data/loader/image_source.ts";
import { vit } from "../../model/vit.ts";
import { type Algebra, plain } from "../../tensor/algebra.ts";
import type { LetheBackend } from "../../tensor/backend/lethe_backend.ts";
import { eventLoopTurn } from "../../tensor/event_loop.ts";
import { matMul } from "../../tensor/mat_mul.ts";
import { linear } from "../../tensor/ops/linear.ts";
import { reshape } from "../../tensor/ops/reshape.ts";
import { sumOf } from "../../tensor/pieces/sum_of.ts";
import { Gathered } from "../../tensor/recording/gathered.ts";
import { activeWebgpu } from "../../tensor/recording/owned_tensor.ts";
import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import { disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";
import type { Backbone } from "../logit_gradient.ts";
import { photographShares } from "../photograph_shares.ts";

/**
 * Plain tensors, as `plain`, and a call of `onInput` for each linear layer that is applied.
 *
 * @param onInput gets the layer's name and its input, [rows, in], which it may keep
 */
function observedAlgebra(theta: Weights, onInput: (layer: string, x: tf.Tensor) => void) {
  const layers = new Map(
    Object.entries(theta).filter(([name]) => name.endsWith(".weight"))
      .map(([name, tensor]) => [tensor, name.slice(0, -".weight".length)]),
  );
  const algebra: Algebra<tf.Tensor> = {
    constant: plain.constant,
    // `plain` would free what a block computed at its end, and `onInput` may have kept some of it.
    scope: (f) => f(),
    apply(op, inputs, attributes = {}) {
      if (op.parts) return op.parts(algebra, inputs, attributes);
      const value = plain.apply(op, inputs, attributes);
      // The patch embedding's kernel is used as a matrix.
      const reshaped = op === reshape ? layers.get(inputs[0]) : undefined;
      if (reshaped !== undefined) layers.set(value, reshaped);
      if (op === linear) onInput(layers.get(inputs[1])!, inputs[0]);
      return value;
    },
  };
  return algebra;
}

/** Numbers per image as a column over the rows of a layer's input: each image has as many as another. */
function perRow(numbers: readonly number[], { shape }: tf.Tensor): tf.Tensor {
  const each = shape[0] / numbers.length;
  return tf.tensor2d(numbers.flatMap((number) => new Array<number>(each).fill(number)), [
    shape[0],
    1,
  ]);
}

/**
 * Uncentred covariances of every linear layer's inputs, x xT summed over all tokens of all images; the
 * patch embedding's inputs are its own non-overlapping patches.
 *
 * @param people whose each image is, where somebody has several: all of theirs count as one
 * @returns [in, in] by layer; the caller disposes them
 */
export async function inputCovariances(
  theta: Weights,
  { shape, microBatch }: Backbone,
  source: ImageFeed,
  indices: readonly number[],
  { onImages, people }: {
    readonly onImages?: ((images: number) => void) | undefined;
    readonly people?: readonly number[] | undefined;
  } = {},
): Promise<Weights> {
  const shares = people && photographShares(people);
  const shareOf = shares && new Map(indices.map((index, i) => [index, shares[i]]));
  /** x xT of a pass by layer, and its logits; within a tidy. */
  const pass = (patches: tf.Tensor, counted: (x: tf.Tensor) => tf.Tensor) => {
    const products: Record<string, tf.Tensor> = {};
    const algebra = observedAlgebra(theta, (layer, x) => {
      products[layer] = matMul(counted(x), x, { transposeA: true });
    });
    const { logits } = vit(algebra, theta, patches, shape);
    return { products, logits };
  };
  const pieces = chunks(indices, microBatch);
  const backend = activeWebgpu();
  const replays = backend !== null && pieces.length > 2 && !shareOf;
  let sums: Weights | null = null;
  let replayed: ReturnType<typeof replayedSums> | null = null;
  for (const piece of warmed(source, pieces)) {
    const { patches, targets } = await source.batch(piece);
    if (replayed) await replayed.add(patches, () => onImages?.(piece.length));
    else {
      const before = sums as Weights | null;
      const counted = (x: tf.Tensor) =>
        shareOf ? tf.mul(x, perRow(piece.map((i) => shareOf.get(i)!), x)) : x;
      sums = tf.tidy(() => {
        const { products } = pass(patches, counted);
        return mapWeights(products, (own, name) => before ? tf.add(before[name], own) : own);
      });
      disposeWeights(before ?? undefined);
      onImages?.(piece.length);
      if (replays) replayed = replayedSums(backend, sums, (patches) => pass(patches, (x) => x));
    }
    tf.dispose([patches, targets]);
    // Nothing is read here, and on WASM the passes take their time.
    await eventLoopTurn();
  }
  return await replayed?.end() ?? sums ?? {};
}

/**
 * Sums of passes' products that are added to in place, each pass after the first replayed (WebGPU).
 *
 * @param first is taken over
 */
function replayedSums(
  backend: LetheBackend,
  first: Weights,
  pass: (patches: tf.Tensor) => { products: Weights; logits: tf.Tensor },
) {
  const sum = sumOf(backend, first, false);
  disposeWeights(first);
  const one = tf.tensor1d([1]);
  const step = new Recorded(({ patches }: Tensors) => {
    const { products, logits } = pass(patches);
    sum.add(products, one, "x");
    return { logits };
  });
  const done = new Gathered();
  return {
    /** Queues a pass; reading its logits now and then keeps the device's queue short. */
    async add(patches: tf.Tensor, then: () => void): Promise<void> {
      await done.add([step.run({ patches }).logits], then);
    },
    /** The sums, the caller's. */
    async end(): Promise<Weights> {
      await done.finish();
      const whole = sum.copy();
      step.dispose();
      sum.dispose();
      one.dispose();
      return whole;
    },
  };
}
