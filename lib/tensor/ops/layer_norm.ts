import * as tf from "@tensorflow/tfjs";
import { customGradient } from "../custom_gradient.ts";
import { hasKernel, isRecorded, runKernel } from "../kernel.ts";
import { numberOf, type Op, sumOfTerms } from "../op.ts";

/** x^ = (x - mean) rstd and rstd [m, 1], in differentiable ops. */
function normalise(x: tf.Tensor, epsilon: number): { normal: tf.Tensor; rstd: tf.Tensor } {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const rstd = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon));
  return { normal: tf.mul(centred, rstd), rstd };
}

/** rstd (g - mean g - x^ mean(g x^)): what LayerNorm's derivative does to a direction, both ways. */
function project(g: tf.Tensor, normal: tf.Tensor, rstd: tf.Tensor): tf.Tensor {
  const along = tf.mul(normal, tf.mean(tf.mul(g, normal), -1, true));
  return tf.mul(rstd, tf.sub(tf.sub(g, tf.mean(g, -1, true)), along));
}

function composed(epsilon: number) {
  return customGradient((x, gamma, beta, save) => {
    const { normal, rstd } = normalise(x as tf.Tensor, epsilon);
    (save as tf.GradSaveFunc)([normal, rstd, gamma as tf.Tensor]);
    const value = tf.add(tf.mul(normal, gamma as tf.Tensor), beta as tf.Tensor);
    return {
      value,
      gradFunc: (dy: tf.Tensor, [normal, rstd, gamma]: tf.Tensor[]) => [
        project(tf.mul(dy, gamma), normal, rstd),
        tf.sum(tf.mul(dy, normal), 0),
        tf.sum(dy, 0),
      ],
    };
  });
}

function fused(epsilon: number) {
  return customGradient((x, gamma, beta, save) => {
    const inputs = { x: x as tf.Tensor, gamma: gamma as tf.Tensor, beta: beta as tf.Tensor };
    const [value, moments] = runKernel("LetheLayerNorm", inputs, { epsilon });
    (save as tf.GradSaveFunc)([inputs.x, inputs.gamma, moments]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, [x, gamma, moments]: tf.Tensor[]) =>
        runKernel("LetheLayerNormGrad", { dy, x, gamma, moments }),
    };
  });
}

/** The tangent gamma P(g) of an x that moves along g, with its gradient. */
function tangentOf(epsilon: number) {
  return customGradient((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [x, g, gamma] = args as tf.Tensor[];
    save([x, g, gamma]);
    return {
      value: runKernel("LetheLayerNormTangent", { x, dx: g, gamma }, { epsilon })[0],
      gradFunc: (u: tf.Tensor, [x, g, gamma]: tf.Tensor[]) =>
        runKernel("LetheLayerNormTangentGrad", { u, x, g, gamma }, { epsilon }),
    };
  });
}

/**
 * Layer normalisation over the last axis: x [m, d], gamma [d], beta [d] give [m, d].
 * Attribute `epsilon`: 1e-6 in the ViT, 1e-5 in the meta-loss. Variance is the biased one.
 */
export const layerNorm: Op = {
  name: "layerNorm",
  formula: "y = x^ gamma + beta, x^ = (x - mean) rstd;  P(g) = rstd (g - mean g - x^ mean(g x^));" +
    "  dx = P(dy gamma);  y' = gamma P(x') + gamma' x^ + beta'",
  forward([x, gamma, beta], attributes) {
    const epsilon = numberOf(attributes, "epsilon");
    const op = hasKernel("LetheLayerNorm") ? fused(epsilon) : composed(epsilon);
    return op(x, gamma, beta);
  },
  jvp([x, gamma], [dx, dGamma, dBeta], attributes) {
    const epsilon = numberOf(attributes, "epsilon");
    if (dx && hasKernel("LetheLayerNormTangent")) {
      if (!dGamma && !dBeta) return tangentOf(epsilon)(x, dx, gamma);
      const moved = { ...dGamma ? { dGamma } : {}, ...dBeta ? { dBeta } : {} };
      if (!isRecorded()) {
        return runKernel("LetheLayerNormTangent", { x, dx, gamma, ...moved }, { epsilon })[0];
      }
    }
    return tf.tidy(() => {
      const { normal, rstd } = normalise(x, epsilon);
      return sumOfTerms([
        dx ? tf.mul(gamma, project(dx, normal, rstd)) : null,
        dGamma ? tf.mul(dGamma, normal) : null,
        dBeta ? tf.broadcastTo(dBeta, x.shape) : null,
      ]);
    });
  },
};
