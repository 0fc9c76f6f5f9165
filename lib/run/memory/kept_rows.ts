import { join } from "@std/path";
import { readPlainFile } from "../../files/plain_file.ts";
import type { MemoryRow, RowTensor } from "../../model/kit/memory_row.ts";
import { encodeSafetensors } from "../../model/encode_safetensors.ts";
import { parseSafetensors, type Weight } from "../../model/safetensors.ts";
import { scaledRow } from "../../unlearn/memory/row_step.ts";

/** Everybody's rows, one of which is in memory at a time. */
export interface KeptRows {
  /** People. */
  readonly count: number;
  /** A person's. */
  read(row: number): Promise<MemoryRow>;
}

/** Largest row: ViT-B's whole one takes a third. */
const MAX_ROW_BYTES = 2 ** 30;
/** Rows that take less than this together stay in memory. */
const MOST_IN_MEMORY = 2 ** 30;

/**
 * Rows at one rank: in memory, or where they are too many in a folder, a file each, as private as
 * the data.
 */
export class RowFolder implements KeptRows {
  readonly #folder: string;
  readonly #inMemory: MemoryRow[] | undefined;
  #count = 0;

  private constructor(folder: string, inMemory: boolean) {
    this.#folder = folder;
    this.#inMemory = inMemory ? [] : undefined;
  }

  /** Begins an empty one in a folder's place. @param bytes of all rows */
  static async make(
    folder: string,
    rank: number | null,
    bytes: number,
    mostInMemory = MOST_IN_MEMORY,
  ): Promise<RowFolder> {
    const own = join(folder, `rank-${rank ?? "full"}`);
    await Deno.remove(own, { recursive: true }).catch(() => {});
    const inMemory = bytes <= mostInMemory;
    if (!inMemory) await Deno.mkdir(own, { recursive: true });
    return new RowFolder(own, inMemory);
  }

  get count(): number {
    return this.#count;
  }

  /** Adds the next person's. */
  async add({ step, centroid }: MemoryRow): Promise<void> {
    const path = this.#path(this.#count++);
    if (this.#inMemory) return void this.#inMemory.push({ step, centroid });
    const weights = new Map<string, Weight>();
    const put = (name: string, values: Float32Array) =>
      weights.set(name, { dtype: "F32", shape: [values.length], values });
    for (const [name, tensor] of step) {
      for (const [part, values] of Object.entries(tensor)) put(`${part}/${name}`, values);
    }
    put(CENTROID, centroid);
    await Deno.writeFile(path, encodeSafetensors(weights));
  }

  async read(row: number): Promise<MemoryRow> {
    if (this.#inMemory) return this.#inMemory[row];
    const path = this.#path(row);
    const bytes = await readPlainFile(path, { maxBytes: MAX_ROW_BYTES });
    const { weights } = parseSafetensors(bytes, path);
    const parts: Record<string, Record<string, Float32Array>> = {};
    for (const [key, { values }] of weights) {
      if (key === CENTROID) continue;
      const slash = key.indexOf("/");
      const name = key.slice(slash + 1);
      parts[name] = { ...parts[name], [key.slice(0, slash)]: values as Float32Array };
    }
    const step = new Map(Object.entries(parts) as unknown as [string, RowTensor][]);
    return { step, centroid: weights.get(CENTROID)!.values as Float32Array };
  }

  #path(row: number): string {
    return join(this.#folder, `${row}.safetensors`);
  }
}

const CENTROID = "centroid";

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
