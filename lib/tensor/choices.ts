// What a command line may ask of the device; in a file of their own, so that options are read and
// explained before tfjs is loaded.

/** What `--device` takes. */
export const DEVICE_CHOICES = ["auto", "webgpu", "wasm"] as const;
/** One of {@link DEVICE_CHOICES}. */
export type DeviceChoice = typeof DEVICE_CHOICES[number];

/** What `--precision` takes. */
export const PRECISION_CHOICES = ["float32", "half"] as const;
/**
 * In what numbers the model's products read their operands and a training pass keeps its activations.
 * Weights, optimiser state, LayerNorm, softmax, losses, gradients and tangents are float32 in both, and
 * so are all sums.
 */
export type Precision = typeof PRECISION_CHOICES[number];
