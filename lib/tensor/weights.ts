import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel } from "./kernel.ts";

/** A set of named tensors: theta, phi, a gradient, a direction. Whoever made the set disposes it. */
export type Weights = Readonly<Record<string, tf.Tensor>>;

/** A new set with f applied to each tensor; f must return a new tensor. The caller disposes the result. */
export function mapWeights(
  weights: Weights,
  f: (tensor: tf.Tensor, name: string) => tf.Tensor,
): Weights {
  return Object.fromEntries(
    Object.entries(weights).map(([name, tensor]) => [name, tf.tidy(() => f(tensor, name))]),
  );
}

/**
 * A function of tensors of one shape that works number by number: it sees them as lists, so that
 * programs are compiled for one rank and not for each.
 *
 * @returns of the first one's shape; the caller's
 */
export function numberwise(
  f: (...lists: tf.Tensor[]) => tf.Tensor,
  ...tensors: readonly tf.Tensor[]
): tf.Tensor {
  const lists = tensors.map((tensor) => tf.reshape(tensor, [-1]));
  return tf.reshape(f(...lists), tensors[0].shape);
}

/** a + scale b, over the names of a; a name that b lacks is copied. The caller disposes the result. */
export function addScaled(a: Weights, b: Weights, scale: number | Weights): Weights {
  return mapWeights(a, (tensor, name) => {
    if (b[name] === undefined) return tf.clone(tensor);
    if (typeof scale === "number" && hasKernel("LetheAddScaled")) {
      return runKernel("LetheAddScaled", { a: tensor, b: b[name] }, { scale })[0];
    }
    const factor = typeof scale === "number" ? scale : scale[name];
    return tf.add(tensor, tf.mul(b[name], factor));
  });
}

/**
 * A sum of gradients that grows by `scale` times one more: of micro-batches, of parts of an objective.
 *
 * @param sum null before the first term
 * @returns sum + scale term, the caller's; both that went in are taken over
 */
export function accumulate(sum: Weights | null, term: Weights, scale = 1): Weights {
  if (sum === null && scale === 1) return term;
  const next = sum === null
    ? mapWeights(term, (tensor) => tf.mul(tensor, scale))
    : addScaled(sum, term, scale);
  disposeWeights(sum);
  disposeWeights(term);
  return next;
}

/** Frees every tensor of the set. */
export function disposeWeights(weights: Weights | null | undefined): void {
  if (weights) tf.dispose(Object.values(weights));
}

/**
 * Value and gradient of a scalar function of named tensors, by one reverse pass. A tensor that f does
 * not use has a gradient of zero (`tf.valueAndGrads` throws there).
 *
 * @param f gives a scalar; all else it makes is freed unless it keeps it (`tf.keep`)
 * @throws RangeError f gives no scalar
 * @returns `value` (scalar) and `gradients` with the shapes of `weights`, owned by the caller
 */
export function valueAndGradients(
  f: (weights: Weights) => tf.Tensor,
  weights: Weights,
): { value: tf.Scalar; gradients: Weights } {
  const names = Object.keys(weights);
  const tensors = Object.values(weights);
  const { value, grads } = tf.tidy(() => {
    const result = tf.engine().gradients(
      () => f({ ...weights }) as tf.Scalar,
      tensors,
      undefined,
      true,
    );
    if (result.value.rank !== 0) {
      throw new RangeError(`f gives a tensor of shape [${result.value.shape}], not a scalar`);
    }
    return {
      value: result.value,
      grads: tensors.map((tensor, i) =>
        // Typed as a tensor, but undefined where f does not use the tensor.
        result.grads[i] as tf.Tensor | undefined ?? tf.zerosLike(tensor)
      ),
    };
  });
  return {
    value,
    gradients: Object.fromEntries(names.map((name, i) => [name, grads[i]])),
  };
}
