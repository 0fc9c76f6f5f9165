/**
 * Most reads that may be unfinished: with fewer the device waits for the host, with more its queue
 * grows.
 */
const MOST_UNFINISHED = 2;

/**
 * Reads of results from the device that go on beside its next work. Waiting for each result in turn
 * would leave the device idle: Deno asks an adapter only every ten milliseconds whether one is there.
 *
 * Reads finish in any order; {@link finish} waits for all of them. Dispose a tensor only after its read
 * is done, because tfjs looks it up once more then.
 */
export class Reads {
  #open: Promise<void>[] = [];

  /**
   * Adds a read, and waits for the oldest where too many are open.
   *
   * @throws what an earlier read met with
   */
  async add(read: Promise<void>): Promise<void> {
    // If something else fails first, nobody awaits this read, and its error must not end the process.
    read.catch(() => {});
    this.#open.push(read);
    if (this.#open.length > MOST_UNFINISHED) await this.#open.shift();
  }

  /** Waits for all that are open. @throws what one of them met with */
  async finish(): Promise<void> {
    await Promise.all(this.#open.splice(0));
  }
}
