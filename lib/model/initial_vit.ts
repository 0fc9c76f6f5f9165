import * as tf from "@tensorflow/tfjs";
import type { Random } from "../random.ts";
import type { Weights } from "../tensor/weights.ts";
import { thetaShapes } from "./theta_shapes.ts";
import type { VitShape } from "./vit.ts";

/** Standard deviation of timm's initial weights. */
const DEVIATION = 0.02;

/**
 * Fresh theta as timm starts its ViTs: linear weights and positions normal with deviation 0.02
 * (truncated at two deviations), biases zero, norms one and zero, class token 1e-6, and PyTorch's own
 * uniform start for the patch embedding, which is a convolution.
 *
 * @param labels outputs of the head
 * @returns tensors under timm's names, owned by the caller
 */
export function initialVit(shape: VitShape, labels: number, random: Random): Weights {
  const fill = (size: number[], draw: () => number) => {
    const count = size.reduce((a, b) => a * b, 1);
    return tf.tensor(Float32Array.from({ length: count }, draw), size);
  };
  const truncated = (size: number[], deviation = DEVIATION) =>
    fill(size, () => {
      let x = random.normal();
      while (Math.abs(x) > 2) x = random.normal();
      return x * deviation;
    });
  const bound = 1 / Math.sqrt(3 * shape.patchSize ** 2);
  const uniform = (size: number[]) => fill(size, () => (2 * random.uniform() - 1) * bound);

  const theta: Record<string, tf.Tensor> = {};
  for (const [name, size] of thetaShapes(shape, labels)) {
    if (name === "cls_token") theta[name] = truncated(size, 1e-6);
    else if (name.startsWith("patch_embed.")) theta[name] = uniform(size);
    else if (/norm\d?\.weight$/.test(name)) theta[name] = tf.ones(size);
    else if (name.endsWith(".bias")) theta[name] = tf.zeros(size);
    else theta[name] = truncated(size);
  }
  return theta;
}
