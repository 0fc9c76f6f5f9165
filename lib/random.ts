import { createHash } from "node:crypto";
import { LetheError } from "./error.ts";

/** Where a {@link Random} stands, as JSON can hold it. */
export interface RandomState {
  /** Seed and stream names, from which {@link Random.fork} derives. */
  readonly key: string;
  /** The generator's four 32-bit words, not all zero. */
  readonly words: readonly number[];
}

/**
 * Seeded random numbers: xoshiro128** 1.1 (Blackman & Vigna 2018), its 128 bits of state taken from
 * the SHA-256 of seed and stream name, so that streams do not overlap. Every number is made by
 * integer operations and IEEE 754 basic arithmetic alone (no `Math.log`, whose last bit is the
 * engine's choice), so a seed gives the same bits on every platform.
 */
export class Random {
  #key: string;
  readonly #words: Uint32Array;

  /**
   * Starts a stream.
   *
   * @param seed any safe integer
   * @param stream what the numbers are for; different names give independent streams
   * @throws {LetheError} when the seed is not a safe integer
   */
  constructor(seed: number, stream: string) {
    if (!Number.isSafeInteger(seed)) {
      throw new LetheError(`seed ${seed}`, "a seed is a whole number below 2^53", "give another");
    }
    this.#key = JSON.stringify([seed, stream]);
    this.#words = wordsOf(this.#key);
  }

  /** The next 32 bits as an integer in [0, 2^32). */
  bits(): number {
    const s = this.#words;
    const five = Math.imul(s[1], 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  }

  /** Uniform in [0, 1), a multiple of 2^-53. */
  uniform(): number {
    const high = this.bits() >>> 5;
    return (high * 2 ** 26 + (this.bits() >>> 6)) / 2 ** 53;
  }

  /**
   * Uniform integer in [0, n), without bias.
   *
   * @param n an integer from 1 to 2^32
   */
  integer(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) {
      throw new RangeError(`Random.integer(${n}): n must be an integer from 1 to 2^32`);
    }
    const limit = 2 ** 32 - (2 ** 32 % n);
    let value = this.bits();
    while (value >= limit) value = this.bits();
    return value % n;
  }

  /** Standard normal, by Marsaglia's polar method. */
  normal(): number {
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const square = u * u + v * v;
      if (square > 0 && square < 1) return u * Math.sqrt(-2 * logarithm(square) / square);
    }
  }

  /** A shuffled copy (Fisher and Yates): every order is equally likely. */
  shuffle<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let last = result.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      [result[last], result[other]] = [result[other], result[last]];
    }
    return result;
  }

  /**
   * An independent stream named below this one. It depends on the names and the seed only, not on
   * how many numbers this stream has given; this stream does not move.
   */
  fork(name: string): Random {
    const key = JSON.stringify([this.#key, name]);
    return Random.fromState({ key, words: [...wordsOf(key)] });
  }

  /** The state, to be kept in a checkpoint. */
  state(): RandomState {
    return { key: this.#key, words: [...this.#words] };
  }

  /**
   * Goes on where {@link Random.state} was taken.
   *
   * @throws {LetheError} when the state is not one
   */
  static fromState(state: RandomState): Random {
    const { key, words } = state;
    const valid = typeof key === "string" && Array.isArray(words) && words.length === 4 &&
      words.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32) &&
      words.some((word) => word !== 0);
    if (!valid) {
      throw new LetheError(
        "a damaged state of a random stream",
        "it holds a key and four 32-bit words, not all zero",
        "start again from an intact checkpoint",
      );
    }
    const random = new Random(0, "");
    random.#key = key;
    random.#words.set(words);
    return random;
  }
}

function wordsOf(key: string): Uint32Array {
  const digest = createHash("sha256").update(key).digest();
  return Uint32Array.from([0, 4, 8, 12], (offset) => digest.readUInt32LE(offset));
}

/**
 * Natural logarithm of x in (0, 1) from basic arithmetic: x = m 2^-e with m in [1/sqrt 2, sqrt 2),
 * then ln m = 2 artanh((m - 1) / (m + 1)) as a series whose first left-out term is below 1e-18.
 */
function logarithm(x: number): number {
  let exponent = 0;
  while (x < Math.SQRT1_2) {
    x *= 2;
    exponent++;
  }
  const t = (x - 1) / (x + 1);
  const square = t * t;
  let sum = 0;
  for (let power = 21; power >= 1; power -= 2) sum = sum * square + 1 / power;
  return 2 * t * sum - exponent * Math.LN2;
}
