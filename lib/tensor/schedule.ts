/**
 * Cosine annealing (torch's CosineAnnealingLR without restarts), from `base` at `at` = 0 to 0 at
 * `at` = `total`.
 */
export function cosine(base: number, at: number, total: number): number {
  return base * (1 + Math.cos(Math.PI * Math.min(at, total) / total)) / 2;
}

/** A warm-up followed by cosine annealing. */
export interface WarmUpCosine {
  /** At the first step after warm-up. */
  readonly learningRate: number;
  /** Passes over the images. */
  readonly epochs: number;
  /** Epochs over which the rate rises linearly, iteration by iteration. */
  readonly warmUpEpochs: number;
}

/**
 * The rate of one iteration (App. A and the released code): linear per iteration through the warm-up,
 * then cosine per epoch with T_max = epochs, which only advances after the warm-up, so that the last
 * epoch does not quite reach zero.
 *
 * @param iteration 0-based, over the whole run
 */
export function warmUpCosine(
  { learningRate, epochs, warmUpEpochs }: WarmUpCosine,
  iteration: number,
  iterationsPerEpoch: number,
): number {
  const warmUp = warmUpEpochs * iterationsPerEpoch;
  if (iteration < warmUp) return learningRate * (iteration + 1) / warmUp;
  const epoch = Math.floor(iteration / iterationsPerEpoch);
  return cosine(learningRate, epoch - warmUpEpochs, epochs);
}
