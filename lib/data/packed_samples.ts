import { fileAt, fileCount, type FileTable } from "./file_table.ts";
import type { Sample } from "./sample.ts";
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
export function packedSamples(columns: SampleColumns): Sample[] {
  return Array.from(
    { length: fileCount(columns.table) },
    (_, row) => new PackedSample(row, columns),
  );
}

/** A row of the columns. */
class PackedSample implements Sample {
  readonly row: number;
  // One object for all samples: there are hundreds of thousands.
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
