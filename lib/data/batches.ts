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

/**
 * Draws from a list without repetition, in time and memory that grow with what is drawn, not with the
 * list (Fisher and Yates from the front, with the few items that have moved in a map).
 */
export class Draw {
  readonly #items: ArrayLike<number>;
  readonly #random: Random;
  readonly #moved = new Map<number, number>();
  #drawn = 0;

  constructor(items: ArrayLike<number>, random: Random) {
    this.#items = items;
    this.#random = random;
  }

  /**
   * The next items that are wanted, each drawn once.
   *
   * @returns `count` of them, or as many as are left
   */
  take(count: number, wanted: (item: number) => boolean): number[] {
    const taken: number[] = [];
    while (taken.length < count && this.#drawn < this.#items.length) {
      const first = this.#drawn++;
      const other = first + this.#random.integer(this.#items.length - first);
      const item = this.#moved.get(other) ?? this.#items[other];
      this.#moved.set(other, this.#moved.get(first) ?? this.#items[first]);
      this.#moved.delete(first);
      if (wanted(item)) taken.push(item);
    }
    return taken;
  }
}
