/** A scale that was tried. */
export interface ScaleTrial {
  readonly scale: number;
  /** Tug-of-War of simulated requests of held-out people, a fraction. */
  readonly tugOfWar: number;
}

/** Each step of the grid; the finer one between the best and its neighbours follows. */
const COARSE = 1.5;
const FINE = 1.5 ** 0.5;
/** So far from 1 a scale would mean that the rows are wrong. */
const LEAST = 1 / 64;
const MOST = 64;

/**
 * The scale of all rows that does best on held-out people. The grid grows on the side where the best one
 * lies until it lies within, so that the choice is never the grid's edge; then its neighbours are tried at
 * half the distance.
 *
 * @param judge the Tug-of-War at a scale
 * @returns every trial in the order of scales, and the best
 */
export async function chooseScale(
  judge: (scale: number) => Promise<number>,
): Promise<{ trials: readonly ScaleTrial[]; best: ScaleTrial }> {
  const trials = new Map<number, number>();
  const attempt = async (scale: number) => {
    if (!trials.has(scale)) trials.set(scale, await judge(scale));
  };
  const inOrder = () =>
    [...trials].map(([scale, tugOfWar]) => ({ scale, tugOfWar })).sort((a, b) => a.scale - b.scale);
  const bestOf = () => inOrder().reduce((a, b) => b.tugOfWar > a.tugOfWar ? b : a);
  for (const power of [-1, 0, 1]) await attempt(COARSE ** power);
  for (;;) {
    const all = inOrder();
    const { scale } = bestOf();
    if (scale === all[0].scale && scale > LEAST) await attempt(scale / COARSE);
    else if (scale === all.at(-1)!.scale && scale < MOST) await attempt(scale * COARSE);
    else break;
  }
  const { scale } = bestOf();
  for (const near of [scale / FINE, scale * FINE]) await attempt(near);
  return { trials: inOrder(), best: bestOf() };
}
