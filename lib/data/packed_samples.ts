import { fileAt, fileCount, type FileTable, packFiles } from "./file_table.ts";
import type { Sample, Samples, Task } from "./sample.ts";
import { TargetTable } from "./target_table.ts";

/** Samples of a data set, as columns. */
export interface SampleColumns {
  readonly table: FileTable;
  /** Of each sample, the place of its identity among the people. */
  readonly owners: Uint32Array;
  readonly targets: TargetTable;
  readonly people: readonly string[];
}

/** The samples of columns, in their order. @param rows some of them; default all */
export function packedSamples(columns: SampleColumns, rows?: Uint32Array): Samples {
  return new PackedSamples(columns, rows);
}

/** Columns of samples; made of them where they are no columns' samples, all and in their order. */
export function columnsOf(samples: Samples, task: Task, labels: number): SampleColumns {
  if (samples instanceof PackedSamples && samples.columns) return samples.columns;
  const people = new Map<string, number>();
  const owners = new Uint32Array(samples.length);
  const targets = TargetTable.ofRows(task, labels, samples.length);
  const files = samples.map(({ file, identity, targets: own }, row) => {
    if (!people.has(identity)) people.set(identity, people.size);
    owners[row] = people.get(identity)!;
    targets.set(row, own);
    return file;
  });
  return { table: packFiles(files), owners, targets, people: [...people.keys()] };
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
  /** Undefined: all. */
  readonly #rows: Uint32Array | undefined;

  constructor(columns: SampleColumns, rows: Uint32Array | undefined) {
    this.#columns = columns;
    this.#rows = rows;
  }

  /** Where these are all of their samples. */
  get columns(): SampleColumns | null {
    return this.#rows ? null : this.#columns;
  }

  get length(): number {
    return this.#rows?.length ?? fileCount(this.#columns.table);
  }

  at(index: number): Sample | undefined {
    const place = index < 0 ? this.length + index : index;
    return place >= 0 && place < this.length ? this.#sample(place) : undefined;
  }

  map<T>(of: (sample: Sample, index: number) => T): T[] {
    return Array.from({ length: this.length }, (_, i) => of(this.#sample(i), i));
  }

  filter(wanted: (sample: Sample) => boolean): Samples {
    // The engine's own filter gathers what it keeps in a list of twice the size.
    const found = new Uint32Array(this.length);
    let count = 0;
    for (let i = 0; i < found.length; i++) {
      const sample = this.#sample(i);
      if (wanted(sample)) found[count++] = sample.row;
    }
    const rows = found.slice(0, count);
    found.buffer.transfer(0);
    return new PackedSamples(this.#columns, rows);
  }

  forEach(visit: (sample: Sample, index: number) => void): void {
    for (let i = 0; i < this.length; i++) visit(this.#sample(i), i);
  }

  *[Symbol.iterator](): Iterator<Sample> {
    for (let i = 0; i < this.length; i++) yield this.#sample(i);
  }

  /** @returns null where they are not all of the same columns */
  joinedTo(others: readonly Samples[]): PackedSamples | null {
    const lists: PackedSamples[] = [this];
    for (const other of others) {
      if (!(other instanceof PackedSamples) || other.#columns !== this.#columns) return null;
      lists.push(other);
    }
    const rows = new Uint32Array(lists.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const list of lists) {
      for (let i = 0; i < list.length; i++) rows[at++] = list.#row(i);
    }
    return new PackedSamples(this.#columns, rows);
  }

  #row(place: number): number {
    return this.#rows ? this.#rows[place] : place;
  }

  #sample(place: number): PackedSample {
    return new PackedSample(this.#row(place), this.#columns);
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
