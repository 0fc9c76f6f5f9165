/** Reads that may be open: with fewer the device waits for the host, with many its queue grows. */
const OPEN = 2;

/**
 * Results that are read while the device goes on. Waiting for each of them would leave it idle: Deno
 * asks an adapter every ten milliseconds whether a result is there.
 *
 * What a read leads to happens in no certain order; {@link finish} waits for all. A tensor stays until
 * its read is done: tfjs looks it up once more then.
 */
export class Reads {
  #open: Promise<void>[] = [];

  /**
   * Adds a read, and waits for the oldest where too many are open.
   *
   * @throws what an earlier read met with
   */
  async add(read: Promise<void>): Promise<void> {
    // Should something else fail first, nobody will ask for this one.
    read.catch(() => {});
    this.#open.push(read);
    if (this.#open.length > OPEN) await this.#open.shift();
  }

  /** Waits for all that are open. @throws what one of them met with */
  async finish(): Promise<void> {
    await Promise.all(this.#open.splice(0));
  }
}
