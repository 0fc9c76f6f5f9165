/** Everybody's rows between the rounds that make them, each read and written once in a round. */
export interface RowStore {
  /** A person's row as the round before left it, zeros at first; the caller's to change. */
  read(row: number): Promise<Float32Array> | Float32Array;
  /** What the round under way leaves of a person. */
  write(row: number, values: Float32Array): Promise<void> | void;
  /** Ends a round: what was written is read from now on. @param last whether no round follows */
  endRound(round: number, last: boolean): Promise<void> | void;
}

/** Rows in memory, changed in place: of few people, or of a small model. */
export class RowsInMemory implements RowStore {
  readonly #rows = new Map<number, Float32Array>();
  readonly #length: number;

  /** @param length numbers of a row */
  constructor(length: number) {
    this.#length = length;
  }

  read(row: number): Float32Array {
    const own = this.#rows.get(row) ?? new Float32Array(this.#length);
    this.#rows.set(row, own);
    return own;
  }

  write(row: number, values: Float32Array): void {
    this.#rows.set(row, values);
  }

  endRound(): void {}
}
