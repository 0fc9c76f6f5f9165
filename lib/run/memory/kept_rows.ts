import { join } from "@std/path";
import { readPlainFile } from "../../files/plain_file.ts";
import { decodeRow, encodeRow, type MemoryRow } from "../../model/kit/memory_row.ts";
import { scaledRow } from "../../unlearn/memory/row_step.ts";

/** Everybody's rows, one of which is in memory at a time. */
export interface KeptRows {
  /** People. */
  readonly count: number;
  /** A person's. */
  read(row: number): Promise<MemoryRow>;
}

/** Largest row: ViT-B's whole one takes a sixth. */
const MAX_ROW_BYTES = 2 ** 30;

/** Rows at one rank in a folder, a file each, as private as the data. */
export class RowFolder implements KeptRows {
  readonly #folder: string;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  readonly #rank: number | null;
  readonly #dim: number;
  #count = 0;

  private constructor(
    folder: string,
    shapes: ReadonlyMap<string, readonly number[]>,
    rank: number | null,
    dim: number,
  ) {
    this.#folder = folder;
    this.#shapes = shapes;
    this.#rank = rank;
    this.#dim = dim;
  }

  /** Begins an empty one in a folder's place. @param shapes of theta @param dim of a centroid */
  static async make(
    folder: string,
    shapes: ReadonlyMap<string, readonly number[]>,
    rank: number | null,
    dim: number,
  ): Promise<RowFolder> {
    const own = join(folder, `rank-${rank ?? "full"}`);
    await Deno.remove(own, { recursive: true }).catch(() => {});
    await Deno.mkdir(own, { recursive: true });
    return new RowFolder(own, shapes, rank, dim);
  }

  get count(): number {
    return this.#count;
  }

  /** Adds the next person's. */
  async add(row: MemoryRow): Promise<void> {
    await Deno.writeFile(this.#path(this.#count++), encodeRow(row));
  }

  async read(row: number): Promise<MemoryRow> {
    const path = this.#path(row);
    const bytes = await readPlainFile(path, { maxBytes: MAX_ROW_BYTES });
    return decodeRow(bytes, this.#shapes, this.#rank, this.#dim, path);
  }

  #path(row: number): string {
    return join(this.#folder, `${row}.safetensors`);
  }
}

/** Rows times a scale. */
export function scaledRows(rows: KeptRows, scale: number): KeptRows {
  return {
    count: rows.count,
    read: async (row) => scaledRow(await rows.read(row), scale),
  };
}

/** Rows of some tensors only. @param shapes of these */
export function cutRows(
  rows: KeptRows,
  shapes: ReadonlyMap<string, readonly number[]>,
): KeptRows {
  return {
    count: rows.count,
    async read(row) {
      const { step, centroid } = await rows.read(row);
      return { step: new Map([...step].filter(([name]) => shapes.has(name))), centroid };
    },
  };
}

/** Rows that are in memory. */
export function rowsOf(rows: readonly MemoryRow[]): KeptRows {
  return { count: rows.length, read: (row) => Promise.resolve(rows[row]) };
}
