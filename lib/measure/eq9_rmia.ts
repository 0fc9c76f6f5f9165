/** Task losses of the same images, in nats, under the attacked model and under the reference. */
export interface PairedLosses {
  /** Under theta_u: the original model, unlearned. */
  readonly target: ArrayLike<number>;
  /** Under theta_u': the retrained model, unlearned with the same phi. */
  readonly reference: ArrayLike<number>;
}

/** What the attack is free to choose, never on the attacked data. */
export interface RmiaSettings {
  /** Offline correction of Pr(x), in [0, 1]. */
  readonly a: number;
  /** Threshold of the likelihood ratio. */
  readonly gamma: number;
}

/**
 * Values for when no further retrained models are there to choose them on
 * (.github/ARCHITECTURE.md, section 3).
 */
export const RMIA_DEFAULTS: RmiaSettings = { a: 0.3, gamma: 1 };

/**
 * Offline RMIA (App. B, Eq. 8 and 9; Zarifzadeh et al. 2024) with Pr(x|theta) = exp(-loss):
 *
 *     LR(x, z) = [Pr(x|theta) / Pr(x)] / [Pr(z|theta) / Pr(z)]
 *     Pr(x)    = ((1 + a) Pr(x|theta_ref) + (1 - a)) / 2
 *     score(x) = share of z with LR(x, z) >= gamma
 *
 * Computed in logarithms, where large losses do not underflow.
 *
 * @param x the images whose membership is asked: Df, or Dte as non-members
 * @param z images of the population, Dv; at least one
 * @returns a score in [0, 1] per x; larger means more likely a member
 * @throws {RangeError} when a loss is not a finite number, lengths differ, or a setting is out of range
 */
export function rmiaScores(
  x: PairedLosses,
  z: PairedLosses,
  { a, gamma }: RmiaSettings = RMIA_DEFAULTS,
): Float64Array {
  if (!(a >= 0 && a <= 1)) throw new RangeError(`a is ${a}, not in [0, 1]`);
  if (!(gamma > 0)) throw new RangeError(`gamma is ${gamma}, not positive`);
  if (z.target.length === 0) throw new RangeError("RMIA needs at least one image z");
  const population = logRatios(z, a).sort();
  const logGamma = Math.log(gamma);
  return logRatios(x, a).map((ratio) => {
    // Those z whose ratio is small enough come first: their number by bisection.
    let [low, high] = [0, population.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ratio - population[middle] >= logGamma) low = middle + 1;
      else high = middle;
    }
    return low / population.length;
  });
}

/** log(Pr(x|theta) / Pr(x)) per image. */
function logRatios({ target, reference }: PairedLosses, a: number): Float64Array {
  if (target.length !== reference.length) {
    throw new RangeError(`${target.length} target and ${reference.length} reference losses`);
  }
  return Float64Array.from({ length: target.length }, (_, i) => {
    if (!Number.isFinite(target[i]) || !Number.isFinite(reference[i])) {
      throw new RangeError(`loss ${i} is ${target[i]}, under the reference ${reference[i]}`);
    }
    // With a = 1 the logarithm of the exponential is the loss itself, however small exp(-loss).
    const logPrior = a === 1
      ? -reference[i]
      : Math.log(((1 + a) * Math.exp(-reference[i]) + (1 - a)) / 2);
    return -target[i] - logPrior;
  });
}
