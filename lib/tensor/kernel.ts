import * as tf from "@tensorflow/tfjs";

/**
 * Whether the active backend has a kernel of that name.
 *
 * Lethe's own kernels (lib/tensor/kernels) are registered through tfjs's registry, one per backend;
 * an op falls back on a composition of stock ops where its kernel is not registered.
 */
export function hasKernel(name: string): boolean {
  return tf.getKernel(name, tf.getBackend()) !== undefined;
}

/**
 * Runs a registered kernel.
 *
 * @param name e.g. `LetheGelu`
 * @param inputs by name; an absent optional input is left out
 * @param attributes numbers and flags the kernel takes
 * @returns the kernel's outputs in its own order; the caller (or the enclosing tidy) owns them
 */
export function runKernel(
  name: string,
  inputs: Record<string, tf.Tensor>,
  attributes: Record<string, number | boolean> = {},
): tf.Tensor[] {
  const out = tf.engine().runKernel<tf.Tensor | tf.Tensor[]>(name, inputs, attributes);
  return Array.isArray(out) ? out : [out];
}

/**
 * Whether a gradient is being taken of what is computed now. A tangent may then not come from a kernel,
 * which tfjs cannot differentiate.
 */
export function isRecorded(): boolean {
  // Not in tfjs's types, but what its own engine asks before it records an op.
  return (tf.engine() as unknown as { isTapeOn(): boolean }).isTapeOn();
}
