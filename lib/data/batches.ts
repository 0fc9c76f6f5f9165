import type { Random } from "../random.ts";

/** 0 .. n - 1 in random order, in batches of `size`; the last one may be smaller. */
export function shuffledBatches(n: number, size: number, random: Random): number[][] {
  const order = random.shuffle(Array.from({ length: n }, (_, i) => i));
  const batches: number[][] = [];
  for (let i = 0; i < n; i += size) batches.push(order.slice(i, i + size));
  return batches;
}

/** Draws without end from a list: shuffled, used up, shuffled again. */
export class Cycle {
  readonly #items: readonly number[];
  readonly #random: Random;
  #order: number[] = [];

  /** @param items at least one */
  constructor(items: readonly number[], random: Random) {
    if (items.length === 0) throw new RangeError("a cycle needs at least one item");
    this.#items = items;
    this.#random = random;
  }

  /** The next `count` items; none twice as long as `count` does not exceed the list. */
  take(count: number): number[] {
    const taken: number[] = [];
    while (taken.length < count) {
      if (this.#order.length === 0) this.#order = this.#random.shuffle(this.#items);
      const next = this.#order.splice(0, count - taken.length);
      // A reshuffle in the middle of a batch could repeat an item: put repeats off to later.
      if (count <= this.#items.length) {
        const repeats = next.filter((item) => taken.includes(item));
        this.#order.push(...repeats);
        taken.push(...next.filter((item) => !repeats.includes(item)));
      } else taken.push(...next);
    }
    return taken;
  }
}
