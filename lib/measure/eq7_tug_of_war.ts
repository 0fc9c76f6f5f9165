/** The metric (mAP or accuracy, fractions) on the three parts that Eq. 7 looks at. */
export interface PartMetrics {
  /** Of the people who stay. */
  readonly retain: number;
  /** Of the people to forget. */
  readonly forget: number;
  /** Of people never trained on. */
  readonly test: number;
}

/** The metrics of evaluations, if each is defined; null otherwise. */
export function partMetrics(
  parts: Readonly<Record<keyof PartMetrics, { readonly metric: number | null }>>,
): PartMetrics | null {
  const { retain: { metric: retain }, forget: { metric: forget }, test: { metric: test } } = parts;
  return retain === null || forget === null || test === null ? null : { retain, forget, test };
}

/**
 * Tug-of-War (Eq. 7; Zhao et al. 2024): the product over retain, forget and test of
 * 1 - |m(theta_u) - m(theta_r)|. 1 is a model that scores like the retrained one everywhere.
 *
 * @param unlearned metrics of theta_u
 * @param retrained metrics of theta_r
 * @throws RangeError a metric is not a fraction
 */
export function tugOfWar(unlearned: PartMetrics, retrained: PartMetrics): number {
  return (["retain", "forget", "test"] as const).reduce((product, part) => {
    for (const value of [unlearned[part], retrained[part]]) {
      if (!(value >= 0 && value <= 1)) throw new RangeError(`${part}: ${value} is not a fraction`);
    }
    return product * (1 - Math.abs(unlearned[part] - retrained[part]));
  }, 1);
}
