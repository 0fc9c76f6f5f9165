import * as tf from "@tensorflow/tfjs";

/**
 * Waits until the device has computed these tensors, without fetching them whole, and frees them:
 * an adapter works through its queue in order, so one element of the last tensor is enough.
 */
export async function finish(...tensors: readonly tf.Tensor[]): Promise<void> {
  const last = tensors[tensors.length - 1];
  const element = tf.tidy(() => tf.slice(tf.reshape(last, [last.size]), [0], [1]));
  await element.data();
  tf.dispose([element, ...tensors]);
}
