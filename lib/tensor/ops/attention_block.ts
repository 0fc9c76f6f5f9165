import * as tf from "@tensorflow/tfjs";
import { type Algebra, dual, plain } from "../algebra.ts";
import { customGradient } from "../custom_gradient.ts";
import {
  backwardProduct,
  forwardProduct,
  hasFusedProducts,
  weightGradient,
} from "../fused_product.ts";
import { isRecorded, runKernel } from "../kernel.ts";
import { type Attributes, numberOf, type Op } from "../op.ts";
import { attention } from "./attention.ts";
import { add } from "./elementwise.ts";
import { layerNorm } from "./layer_norm.ts";
import { linear } from "./linear.ts";
import { reshape } from "./reshape.ts";

/** The block written in ops of its own. */
function parts<T>(
  { apply }: Algebra<T>,
  [x, gamma, beta, weight, bias, projection, shift]: readonly T[],
  attributes: Attributes,
): T {
  const [n, d, heads] = ["tokens", "dim", "heads"].map((name) => numberOf(attributes, name));
  const normed = apply(layerNorm, [x, gamma, beta], { epsilon: numberOf(attributes, "epsilon") });
  const qkv = apply(linear, [normed, weight, bias]);
  const perImage = apply(reshape, [qkv], { shape: [-1, n, 3 * d] });
  const attended = apply(reshape, [apply(attention, [perImage], { heads })], { shape: [-1, d] });
  return apply(add, [x, apply(linear, [attended, projection, shift])]);
}

function fused(attributes: Attributes) {
  const [n, heads, epsilon] = ["tokens", "heads", "epsilon"].map((name) =>
    numberOf(attributes, name)
  );
  const again = attributes.again === 1;
  const norm = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) =>
    runKernel("LetheLayerNorm", { x, gamma, beta }, { epsilon });
  const attend = (qkv: tf.Tensor) => runKernel("LetheAttention", { qkv }, { heads, half: false });
  return customGradient((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [x, gamma, beta, weight, bias, projection, shift] = args as tf.Tensor[];
    const [normed, moments] = norm(x, gamma, beta);
    const qkv = tf.reshape(forwardProduct(normed, weight, { bias }), [-1, n, weight.shape[0]]);
    const [out, rest] = attend(qkv);
    save([
      ...[x, gamma, beta, weight, projection, qkv],
      ...again ? [] : [normed, moments, out, rest],
    ]);
    return {
      value: forwardProduct(tf.reshape(out, x.shape), projection, { bias: shift, add: x }),
      gradFunc(dy: tf.Tensor, saved: tf.Tensor[]) {
        const [x, gamma, beta, weight, projection, qkv, ...kept] = saved;
        const [normed, moments, out, rest] = again
          ? [...norm(x, gamma, beta), ...attend(qkv)]
          : kept;
        const dOut = tf.reshape(backwardProduct(dy, projection), out.shape);
        const forward = { dy: dOut, qkv, out, rest };
        const [dPerImage] = runKernel("LetheAttentionGrad", forward, { heads, half: false });
        const dQkv = tf.reshape(dPerImage, [x.shape[0], weight.shape[0]]);
        const dNormed = backwardProduct(dQkv, weight);
        const ofNorm = { dy: dNormed, x, gamma, moments, residual: dy };
        return [
          ...runKernel("LetheLayerNormGrad", ofNorm),
          ...weightGradient(dQkv, normed),
          ...weightGradient(dy, tf.reshape(out, x.shape)),
        ];
      },
    };
  });
}

/**
 * The first half of a ViT's block, x + P attention(W LayerNorm(x) + b) + p: x [b n, d], gamma, beta [d],
 * W [3 d, d], b [3 d], P [d, d], p [d] give [b n, d]. Attributes `epsilon` of the LayerNorm, `heads`,
 * `tokens` (n), `dim` (d), and `again`, where it is 1: the gradient computes again what the forward pass
 * would keep for it.
 *
 * An op of its own for the reason that the other half is ({@link mlpBlock}).
 */
export const attentionBlock: Op = {
  name: "attentionBlock",
  formula: "y = x + L2(attention(L1(norm(x)))), each with its own derivative",
  parts,
  forward(inputs, attributes) {
    return hasFusedProducts() ? fused(attributes)(...inputs) : parts(plain, inputs, attributes);
  },
  jvp: (inputs, tangents, attributes) =>
    parts(dual, inputs.map((primal, i) => ({ primal, tangent: tangents[i] })), attributes).tangent!,
  dual(inputs, tangents, attributes) {
    if (!hasFusedProducts() || isRecorded() || tangents.includes(null)) return null;
    const [x, gamma, beta, weight, bias, projection, shift] = inputs;
    const [dx, dGamma, dBeta, dWeight, dBias, dProjection, dShift] = tangents as tf.Tensor[];
    const [n, heads, epsilon] = ["tokens", "heads", "epsilon"]
      .map((name) => numberOf(attributes, name));
    const perImage = [-1, n, weight.shape[0]];
    const [normed] = runKernel("LetheLayerNorm", { x, gamma, beta }, { epsilon });
    const moved = { x, dx, gamma, dGamma, dBeta };
    const [dNormed] = runKernel("LetheLayerNormTangent", moved, { epsilon });
    const qkv = tf.reshape(forwardProduct(normed, weight, { bias }), perImage);
    const byWeight = forwardProduct(normed, dWeight, { bias: dBias });
    const dqkv = tf.reshape(forwardProduct(dNormed, weight, { add: byWeight }), perImage);
    const [out, dOut] = runKernel("LetheAttentionDual", { qkv, dqkv }, { heads })
      .map((tensor) => tf.reshape(tensor, x.shape));
    const byProjection = forwardProduct(out, dProjection, { bias: dShift, add: dx });
    return {
      primal: forwardProduct(out, projection, { bias: shift, add: x }),
      tangent: forwardProduct(dOut, projection, { add: byProjection }),
    };
  },
};
