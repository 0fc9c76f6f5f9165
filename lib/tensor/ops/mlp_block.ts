import type * as tf from "@tensorflow/tfjs";
import { type Algebra, dual, plain } from "../algebra.ts";
import { customGradient } from "../custom_gradient.ts";
import {
  backwardProduct,
  forwardProduct,
  geluProduct,
  hasFusedProducts,
  weightGradient,
} from "../fused_product.ts";
import { isRecorded, runKernel } from "../kernel.ts";
import { type Attributes, numberOf, type Op } from "../op.ts";
import { add } from "./elementwise.ts";
import { gelu } from "./gelu.ts";
import { layerNorm } from "./layer_norm.ts";
import { linear } from "./linear.ts";

/** The block written in ops of its own. */
function parts<T>(
  { apply }: Algebra<T>,
  [x, gamma, beta, weight1, bias1, weight2, bias2]: readonly T[],
  attributes: Attributes,
): T {
  const epsilon = numberOf(attributes, "epsilon");
  const normed = apply(layerNorm, [x, gamma, beta], { epsilon });
  const hidden = apply(gelu, [apply(linear, [normed, weight1, bias1])]);
  return apply(add, [x, apply(linear, [hidden, weight2, bias2])]);
}

/** All that comes before the last product. */
function hiddenOf(epsilon: number, [x, gamma, beta, weight1, bias1]: readonly tf.Tensor[]) {
  const [normed, moments] = runKernel("LetheLayerNorm", { x, gamma, beta }, { epsilon });
  const [hidden, before] = geluProduct(normed, weight1, bias1);
  return [normed, moments, hidden, before];
}

function fused(epsilon: number, again: boolean) {
  return customGradient((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const inputs = args as tf.Tensor[];
    const [x, , , , , weight2, bias2] = inputs;
    const made = hiddenOf(epsilon, inputs);
    const [, , hidden] = made;
    save([...inputs, ...again ? [] : made]);
    return {
      value: forwardProduct(hidden, weight2, { bias: bias2, add: x }),
      gradFunc(dy: tf.Tensor, saved: tf.Tensor[]) {
        const [inputs, kept] = [saved.slice(0, args.length), saved.slice(args.length)];
        const [x, gamma, , weight1, , weight2] = inputs;
        const [normed, moments, hidden, before] = again ? hiddenOf(epsilon, inputs) : kept;
        const dBefore = backwardProduct(dy, weight2, { slope: before });
        const dNormed = backwardProduct(dBefore, weight1);
        const norm = { dy: dNormed, x, gamma, moments, residual: dy };
        return [
          ...runKernel("LetheLayerNormGrad", norm),
          ...weightGradient(dBefore, normed),
          ...weightGradient(dy, hidden),
        ];
      },
    };
  });
}

/**
 * The second half of a ViT's block, x + W2 GELU(W1 LayerNorm(x) + b1) + b2: x [m, d], gamma, beta [d],
 * W1 [h, d], b1 [h], W2 [d, h], b2 [d] give [m, d]. Attributes `epsilon` of the LayerNorm, and `again`,
 * where it is 1: the gradient computes again what the forward pass would keep for it.
 *
 * An op of its own since its sums need not be stored between its parts: on WebGPU in float32 it takes a
 * third of the programs.
 */
export const mlpBlock: Op = {
  name: "mlpBlock",
  formula: "y = x + L2(gelu(L1(norm(x)))), each with its own derivative",
  parts,
  forward(inputs, attributes) {
    return hasFusedProducts()
      ? fused(numberOf(attributes, "epsilon"), attributes.again === 1)(...inputs)
      : parts(plain, inputs, attributes);
  },
  jvp: (inputs, tangents, attributes) =>
    parts(dual, inputs.map((primal, i) => ({ primal, tangent: tangents[i] })), attributes).tangent!,
  dual(inputs, tangents, attributes) {
    if (!hasFusedProducts() || isRecorded() || tangents.includes(null)) return null;
    const [x, gamma, beta, weight1, bias1, weight2, bias2] = inputs;
    const [dx, dGamma, dBeta, dWeight1, dBias1, dWeight2, dBias2] = tangents as tf.Tensor[];
    const epsilon = numberOf(attributes, "epsilon");
    const [normed] = runKernel("LetheLayerNorm", { x, gamma, beta }, { epsilon });
    const moved = { x, dx, gamma, dGamma, dBeta };
    const [dNormed] = runKernel("LetheLayerNormTangent", moved, { epsilon });
    const [hidden, before] = geluProduct(normed, weight1, bias1);
    const byWeight1 = forwardProduct(normed, dWeight1, { bias: dBias1 });
    const dHidden = forwardProduct(dNormed, weight1, { add: byWeight1, slope: before });
    const byWeight2 = forwardProduct(hidden, dWeight2, { bias: dBias2, add: dx });
    return {
      primal: forwardProduct(hidden, weight2, { bias: bias2, add: x }),
      tangent: forwardProduct(dHidden, weight2, { add: byWeight2 }),
    };
  },
};
