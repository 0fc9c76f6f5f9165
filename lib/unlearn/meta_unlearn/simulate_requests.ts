import type { Random } from "../../random.ts";

/** A person of the training part: the row of the identity embedding and the images, by index. */
export interface Person {
  readonly row: number;
  readonly images: readonly number[];
}

/** A request that never was: people of the training part asking to be forgotten. */
export interface SimulatedRequest {
  /** Row of each person, in the order of `support`. */
  readonly rows: readonly number[];
  /** One image per person: S. */
  readonly support: readonly number[];
  /** The people's other images: Df. */
  readonly forget: readonly number[];
}

/**
 * One meta-epoch of simulated requests (Sec. 4.1): people without replacement in batches of `size`
 * (N_S), the last batch filled from the start of the order; per person one image is the support, the
 * others are forgotten. A person with one image lends it to both.
 *
 * @throws RangeError there are fewer people than `size`
 */
export function simulateRequests(
  people: readonly Person[],
  size: number,
  random: Random,
): SimulatedRequest[] {
  if (people.length < size) {
    throw new RangeError(`${people.length} people cannot fill a request of ${size}`);
  }
  const order = random.shuffle(people);
  const requests: SimulatedRequest[] = [];
  for (let i = 0; i < order.length; i += size) {
    const chosen = order.slice(i, i + size);
    chosen.push(...order.slice(0, size - chosen.length));
    const support: number[] = [];
    const forget: number[] = [];
    for (const { images } of chosen) {
      const pick = random.integer(images.length);
      support.push(images[pick]);
      forget.push(...images.length === 1 ? images : images.filter((_, k) => k !== pick));
    }
    requests.push({ rows: chosen.map((person) => person.row), support, forget });
  }
  return requests;
}
