import type { Task } from "./sample.ts";

/** Bytes of a class's number. */
const CLASS_BYTES = 4;

/** Targets of many samples, packed: a bit for each label, or the number of a class. */
export class TargetTable {
  readonly #task: Task;
  readonly #labels: number;
  readonly #rowBytes: number;
  #bytes: Uint8Array;
  #rows: number;

  /**
   * @param labels number of labels, or of classes
   * @param bytes of another table of that task and so many labels, which are taken over
   */
  constructor(task: Task, labels: number, bytes: Uint8Array = new Uint8Array(0)) {
    this.#task = task;
    this.#labels = labels;
    this.#rowBytes = targetBytes(task, labels);
    this.#bytes = bytes;
    this.#rows = bytes.length / this.#rowBytes;
  }

  /** All rows, one after the other; a view, good until a row is added. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#rows * this.#rowBytes);
  }

  /** A table of so many rows, to be filled by {@link set}. */
  static ofRows(task: Task, labels: number, rows: number): TargetTable {
    return new TargetTable(task, labels, new Uint8Array(rows * targetBytes(task, labels)));
  }

  /** Adds a sample's targets. @returns its row */
  add(targets: ArrayLike<number>): number {
    const end = (this.#rows + 1) * this.#rowBytes;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, 64 * this.#rowBytes));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.set(this.#rows, targets);
    return this.#rows++;
  }

  /** Sets a row that is empty as yet. */
  set(row: number, targets: ArrayLike<number>): void {
    const at = row * this.#rowBytes;
    if (this.#task === "classes") {
      for (let i = 0; i < CLASS_BYTES; i++) this.#bytes[at + i] = targets[0] >>> (8 * i);
    } else {
      for (let i = 0; i < this.#labels; i++) {
        if (targets[i] === 1) this.#bytes[at + (i >> 3)] |= 1 << (i & 7);
      }
    }
  }

  /** As a sample has them. */
  targets(row: number): number[] {
    if (this.#task === "classes") return [this.#classOf(row)];
    return Array.from({ length: this.#labels }, (_, label) => this.#bit(row, label));
  }

  /** Writes a row of 0 and 1, one per label or one-hot, into rows of zeros. */
  write(row: number, into: Float32Array | Uint8Array, at: number): void {
    if (this.#task === "classes") into[at + this.#classOf(row)] = 1;
    else for (let i = 0; i < this.#labels; i++) into[at + i] = this.#bit(row, i);
  }

  #bit(row: number, label: number): number {
    return this.#bytes[row * this.#rowBytes + (label >> 3)] >> (label & 7) & 1;
  }

  #classOf(row: number): number {
    const at = row * CLASS_BYTES;
    let value = 0;
    for (let i = 0; i < CLASS_BYTES; i++) value += this.#bytes[at + i] * 2 ** (8 * i);
    return value;
  }
}

/** Bytes that a sample's targets take. */
export function targetBytes(task: Task, labels: number): number {
  return task === "classes" ? CLASS_BYTES : Math.ceil(labels / 8);
}
