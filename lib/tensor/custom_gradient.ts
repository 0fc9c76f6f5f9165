import * as tf from "@tensorflow/tfjs";

/** What a function with a gradient of its own gives: see `tf.customGrad`. */
type CustomGradient = Parameters<typeof tf.customGrad>[0];

/**
 * `tf.customGrad`, with both passes freeing what they made besides their results and what was saved.
 * tfjs itself keeps every intermediate tensor of a backward pass until the whole gradient is done,
 * which doubles the memory of a training step.
 */
export function customGradient(f: CustomGradient): ReturnType<typeof tf.customGrad> {
  return tf.customGrad((...inputs) => {
    let backward: ReturnType<CustomGradient>["gradFunc"];
    const value = tf.tidy(() => {
      const { value, gradFunc } = f(...inputs);
      backward = gradFunc;
      return value;
    });
    return {
      value,
      gradFunc(dy: tf.Tensor, saved: tf.Tensor[]) {
        const gradients = tf.tidy(() => backward(dy, saved));
        // dy is ours to free: tfjs sums all gradients of a tensor into it first, and calls this once.
        if (![gradients].flat().includes(dy)) dy.dispose();
        return gradients;
      },
    };
  });
}
