import * as tf from "@tensorflow/tfjs";
import { customGradient } from "../custom_gradient.ts";
import { isPairs, stored } from "../half.ts";
import { hasKernel, runKernel } from "../kernel.ts";
import type { Op } from "../op.ts";

/** Phi(x), the normal distribution function. */
function distribution(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
}

/** GELU'(x) = Phi(x) + x phi(x), in differentiable ops. */
function derivative(x: tf.Tensor): tf.Tensor {
  const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return tf.add(distribution(x), tf.mul(x, density));
}

const forward = customGradient((x, save) => {
  const input = x as tf.Tensor;
  (save as tf.GradSaveFunc)([stored(input)]);
  const value = hasKernel("LetheGelu")
    ? runKernel("LetheGelu", { x: input })[0]
    : tf.mul(input, distribution(input));
  return {
    value,
    gradFunc: (dy: tf.Tensor, [x]: tf.Tensor[]) =>
      hasKernel("LetheGeluGrad")
        ? runKernel("LetheGeluGrad", { dy, x }, { half: isPairs(x) })[0]
        : tf.mul(dy, derivative(x)),
  };
});

/**
 * The tangent of an x that moves along g, with its gradient: what the gradient's kernel does to a
 * cotangent.
 */
const tangent = customGradient((...args) => {
  const save = args.pop() as tf.GradSaveFunc;
  const [x, g] = args as tf.Tensor[];
  save([x, g]);
  return {
    value: runKernel("LetheGeluGrad", { dy: g, x }, { half: false })[0],
    gradFunc: (u: tf.Tensor, [x, g]: tf.Tensor[]) => runKernel("LetheGeluTangentGrad", { u, x, g }),
  };
});

/**
 * The exact Gaussian error linear unit, x Phi(x) (Hendrycks & Gimpel 2016; not the tanh form). Any
 * shape.
 */
export const gelu: Op = {
  name: "gelu",
  formula: "y = x Phi(x);  dx = dy (Phi(x) + x phi(x));  y' = x' (Phi(x) + x phi(x))",
  forward: ([x]) => forward(x),
  jvp: ([x], [dx]) =>
    hasKernel("LetheGeluTangentGrad") ? tangent(x, dx!) : tf.tidy(() => tf.mul(dx!, derivative(x))),
};
