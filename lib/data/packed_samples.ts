import { fileAt, fileCount, type FileTable } from "./file_table.ts";
import type { Sample, Samples } from "./sample.ts";
import type { TargetTable } from "./target_table.ts";

/** Samples of a data set, as columns. */
export interface SampleColumns {
  readonly table: FileTable;
  /** Of each sample, the place of its identity among the people. */
  readonly owners: Uint32Array;
  readonly targets: TargetTable;
  readonly people: readonly string[];
}

/** The samples of columns, in their order. */
export function packedSamples(columns: SampleColumns): Samples {
  const rows = new Uint32Array(fileCount(columns.table));
  for (let row = 0; row < rows.length; row++) rows[row] = row;
  return new PackedSamples(columns, rows);
}

/** Some samples and then others, as one list. */
export function joinedSamples(lists: readonly Samples[]): Samples {
  const [first] = lists;
  return first instanceof PackedSamples
    ? first.joinedTo(lists.slice(1)) ?? lists.flatMap((list) => [...list])
    : lists.flatMap((list) => [...list]);
}

/** Rows of columns. Each sample is made when it is looked at. */
class PackedSamples implements Samples {
  readonly #columns: SampleColumns;
  readonly #rows: Uint32Array;

  constructor(columns: SampleColumns, rows: Uint32Array) {
    this.#columns = columns;
    this.#rows = rows;
  }

  get length(): number {
    return this.#rows.length;
  }

  at(index: number): Sample | undefined {
    const row = this.#rows.at(index);
    return row === undefined ? undefined : new PackedSample(row, this.#columns);
  }

  map<T>(of: (sample: Sample, index: number) => T): T[] {
    return Array.from(
      { length: this.length },
      (_, i) => of(new PackedSample(this.#rows[i], this.#columns), i),
    );
  }

  filter(wanted: (sample: Sample) => boolean): Samples {
    // The engine's own filter gathers what it keeps in a list of twice the size.
    const found = new Uint32Array(this.length);
    let count = 0;
    for (const row of this.#rows) {
      if (wanted(new PackedSample(row, this.#columns))) found[count++] = row;
    }
    const rows = found.slice(0, count);
    found.buffer.transfer(0);
    return new PackedSamples(this.#columns, rows);
  }

  forEach(visit: (sample: Sample, index: number) => void): void {
    this.#rows.forEach((row, i) => visit(new PackedSample(row, this.#columns), i));
  }

  *[Symbol.iterator](): Iterator<Sample> {
    for (const row of this.#rows) yield new PackedSample(row, this.#columns);
  }

  /** @returns null where they are not all of the same columns */
  joinedTo(others: readonly Samples[]): PackedSamples | null {
    const lists: PackedSamples[] = [this];
    for (const other of others) {
      if (!(other instanceof PackedSamples) || other.#columns !== this.#columns) return null;
      lists.push(other);
    }
    const rows = new Uint32Array(lists.reduce((sum, { length }) => sum + length, 0));
    lists.reduce((at, list) => (rows.set(list.#rows, at), at + list.length), 0);
    return new PackedSamples(this.#columns, rows);
  }
}

/** A row of the columns. */
class PackedSample implements Sample {
  readonly row: number;
  readonly #columns: SampleColumns;

  constructor(row: number, columns: SampleColumns) {
    this.row = row;
    this.#columns = columns;
  }

  get file(): string {
    return fileAt(this.#columns.table, this.row);
  }

  get identity(): string {
    return this.#columns.people[this.#columns.owners[this.row]];
  }

  get targets(): number[] {
    return this.#columns.targets.targets(this.row);
  }

  writeTargets(rows: Float32Array | Uint8Array, at: number): void {
    this.#columns.targets.write(this.row, rows, at);
  }
}
