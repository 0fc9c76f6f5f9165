/** What simulated requests come to. */
export interface Judged {
  /** Their Tug-of-War, a fraction. */
  readonly tugOfWar: number;
  /** How much of the metric people who stay lose, against the model before; a fraction. */
  readonly lost: number;
}

/** A scale that was tried. */
export interface ScaleTrial extends Judged {
  readonly scale: number;
}

/** Ratio of neighbouring scales in the grid, and in the finer one around the best of them. */
const COARSE = 1.5;
const FINE = 1.5 ** 0.5;
/** How often the distance to a scale that costs too much is halved. */
const HALVINGS = 2;
/** No scale beyond these is tried: so far from 1 it would mean that the rows are wrong. */
const LEAST = 1 / 64;
const MOST = 64;

/**
 * The scale of rows that does best on simulated requests, of those at which people who stay lose no more
 * than the limit. The grid grows on the side where the best one lies until it lies within, so that the
 * choice is never the grid's edge; then its neighbours are tried at half the distance, and at less where the
 * limit lies between.
 *
 * @param judge what a scale comes to
 * @param limit on what people who stay may lose; where no scale keeps to it, the least that was tried is
 *   taken
 * @param near where to begin: the best for rows much like these
 * @returns every trial in the order of scales, and the best
 */
export async function chooseScale(
  judge: (scale: number) => Promise<Judged>,
  limit = Infinity,
  near = 1,
): Promise<{ trials: readonly ScaleTrial[]; best: ScaleTrial }> {
  const trials = new Map<number, ScaleTrial>();
  const attempt = async (scale: number) => {
    if (!trials.has(scale)) trials.set(scale, { scale, ...await judge(scale) });
  };
  const inOrder = () => [...trials.values()].sort((a, b) => a.scale - b.scale);
  const bestOf = () => {
    const allowed = inOrder().filter(({ lost }) => lost <= limit);
    return allowed.reduce((a, b) => b.tugOfWar > a.tugOfWar ? b : a, allowed[0] ?? inOrder()[0]);
  };
  const begin = Math.round(Math.log(near) / Math.log(COARSE));
  for (const power of [-1, 0, 1]) await attempt(COARSE ** (begin + power));
  for (;;) {
    const all = inOrder();
    const { scale } = bestOf();
    if (scale === all[0].scale && scale > LEAST) await attempt(scale / COARSE);
    else if (scale === all.at(-1)!.scale && scale < MOST) await attempt(scale * COARSE);
    else break;
  }
  const { scale } = bestOf();
  for (const near of [scale / FINE, scale * FINE]) await attempt(near);
  // Where the limit ends the search, what lies between the best and what costs too much is tried too.
  for (let halving = 0; halving < HALVINGS; halving++) {
    const best = bestOf();
    const next = inOrder().find((trial) => trial.scale > best.scale);
    if (next === undefined || best.lost > limit || next.lost <= limit) break;
    await attempt(Math.sqrt(best.scale * next.scale));
  }
  return { trials: inOrder(), best: bestOf() };
}
