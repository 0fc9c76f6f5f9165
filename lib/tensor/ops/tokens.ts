import * as tf from "@tensorflow/tfjs";
import { customGradient } from "../custom_gradient.ts";
import { hasKernel, runKernel } from "../kernel.ts";
import type { Op } from "../op.ts";

/** [b (n - 1), d] patch rows below a class token row each: [b, n, d], without positions. */
function underClass(patches: tf.Tensor, classToken: tf.Tensor, n: number): tf.Tensor {
  const d = patches.shape[1]!;
  const b = patches.shape[0] / (n - 1);
  const first = tf.broadcastTo(classToken, [b, 1, d]);
  return tf.concat([first, tf.reshape(patches, [b, n - 1, d])], 1);
}

const composed = customGradient((patches, classToken, positions) => {
  const n = (positions as tf.Tensor).shape[1]!;
  const rows = underClass(patches as tf.Tensor, classToken as tf.Tensor, n);
  return {
    value: tf.add(rows, positions as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => {
      const [b, n, d] = dy.shape as [number, number, number];
      const dPositions = tf.sum(dy, 0, true);
      return [
        tf.reshape(tf.slice(dy, [0, 1, 0], [b, n - 1, d]), [b * (n - 1), d]),
        tf.slice(dPositions, [0, 0, 0], [1, 1, d]),
        dPositions,
      ];
    },
  };
});

const byKernel = customGradient((...inputs) => {
  const [patches, classToken, positions] = inputs as tf.Tensor[];
  return {
    value: runKernel("LetheTokens", { patches, classToken, positions })[0],
    gradFunc: (dy: tf.Tensor) => runKernel("LetheTokensGrad", { dy }),
  };
});

function forward(patches: tf.Tensor, classToken: tf.Tensor, positions: tf.Tensor): tf.Tensor {
  return (hasKernel("LetheTokens") ? byKernel : composed)(patches, classToken, positions);
}

/**
 * The ViT's input sequence: patch rows [b (n - 1), d], class token [1, 1, d] and positions [1, n, d]
 * give [b, n, d]. Linear in all three.
 */
export const tokens: Op = {
  name: "tokens",
  formula: "y = [class; patches] + positions, linear: y' = [class'; patches'] + positions'",
  forward: ([patches, classToken, positions]) => forward(patches, classToken, positions),
  jvp([patches, classToken, positions], [dPatches, dClass, dPositions]) {
    return tf.tidy(() =>
      forward(
        dPatches ?? tf.zerosLike(patches),
        dClass ?? tf.zerosLike(classToken),
        dPositions ?? tf.zerosLike(positions),
      )
    );
  },
};
