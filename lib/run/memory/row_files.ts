import { join, resolve } from "@std/path";
import { LetheError } from "../../error.ts";
import { finishBeforeExit } from "../../files/finish_before_exit.ts";
import { readPlainText } from "../../files/plain_file.ts";
import { removeAtExit } from "../../files/temporary_path.ts";
import { writeWhole } from "../../files/write_whole.ts";
import { differences } from "../../model/saved_state.ts";
import type { RowStore } from "../../unlearn/memory/row_store.ts";

/** Rows that take less than this lie in memory as well, and are written now and then. */
const MOST_IN_MEMORY = 2 ** 30;
/** Milliseconds between two writings of rows that lie in memory. */
const EVERY = 20_000;

/** How {@link RowFiles} keeps rows. */
export interface RowFilesOptions {
  /** Bytes of rows that may lie in memory; with more only those of the people at work do. */
  readonly mostInMemory?: number;
  /** Milliseconds between two writings of rows that lie in memory. */
  readonly every?: number;
}

/** What the rows' bits depend on; rows of another run are refused. */
const RUN = "run.json";

/**
 * Everybody's rows in a file for each round: memory holds those of the people at work, whatever their
 * number, and a run that was stopped goes on after the last whole round that was written. The file of a
 * round that was not finished is written anew. Few people's rows of a small model lie in memory, and their
 * file is written every {@link EVERY} milliseconds and after the last round.
 */
export class RowFiles implements RowStore {
  /** Rounds that are done. */
  rounds = 0;
  readonly #folder: string;
  readonly #people: number;
  readonly #length: number;
  readonly #every: number;
  /** Everybody's, where they fit. */
  readonly #rows: Float32Array[] | undefined;
  #written = performance.now();
  #from: Deno.FsFile | undefined;
  #to: Deno.FsFile | undefined;
  #finish = () => {};

  private constructor(
    folder: string,
    people: number,
    length: number,
    { mostInMemory = MOST_IN_MEMORY, every = EVERY }: RowFilesOptions,
  ) {
    this.#every = every;
    if (4 * people * length <= mostInMemory) {
      this.#rows = Array.from({ length: people }, () => new Float32Array(length));
    }
    this.#folder = folder;
    this.#people = people;
    this.#length = length;
  }

  /**
   * Opens the rows of a run, or begins them.
   *
   * @param length numbers of a row
   * @param fingerprint JSON of all that the rows' bits depend on
   * @throws {LetheError} the folder holds another run's
   */
  static async open(
    folder: string,
    people: number,
    length: number,
    fingerprint: string,
    options: RowFilesOptions = {},
  ): Promise<RowFiles> {
    await Deno.mkdir(folder, { recursive: true });
    const path = join(folder, RUN);
    const there = await Deno.lstat(path).then(() => true, () => false);
    if (!there) await writeWhole(path, fingerprint);
    const before = await readPlainText(path, { maxBytes: 2 ** 24, remedy: "remove the folder" });
    if (before !== fingerprint) {
      throw new LetheError(
        `${folder} holds rows of another run: ${differences(before, fingerprint)}`,
        "a run goes on only as it began",
        "repeat the earlier command, or remove that folder to start anew",
      );
    }
    const files = new RowFiles(folder, people, length, options);
    for await (const { name } of Deno.readDir(folder)) {
      const round = Number(/^round-(\d+)\.f32$/.exec(name)?.[1] ?? 0);
      files.rounds = Math.max(files.rounds, round);
    }
    await files.#readFrom(files.rounds);
    for (const [row, values] of files.#rows?.entries() ?? []) values.set(await files.#read(row));
    return files;
  }

  async read(row: number): Promise<Float32Array> {
    return this.#rows?.[row] ?? await this.#read(row);
  }

  async write(row: number, values: Float32Array): Promise<void> {
    if (this.#rows) this.#rows[row] = values;
    else await this.#write(row, values);
  }

  async #read(row: number): Promise<Float32Array> {
    const values = new Float32Array(this.#length);
    if (this.#from === undefined) return values;
    const bytes = new Uint8Array(values.buffer);
    await this.#from.seek(row * bytes.length, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) {
      const count = await this.#from.read(bytes.subarray(done));
      if (count === null) {
        throw new LetheError(
          `${this.#path(this.rounds)} ends before row ${row}`,
          `it holds ${this.#people} rows of ${bytes.length} bytes`,
          "remove its folder to start anew",
        );
      }
      done += count;
    }
    return values;
  }

  async #write(row: number, values: Float32Array): Promise<void> {
    if (this.#to === undefined) {
      const path = `${this.#path(0)}.part`;
      this.#finish = removeAtExit(resolve(path));
      this.#to = await Deno.open(path, { write: true, create: true, truncate: true });
    }
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    await this.#to.seek(row * bytes.length, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) done += await this.#to.write(bytes.subarray(done));
  }

  async endRound(round: number, last: boolean): Promise<void> {
    if (this.#rows && !last && performance.now() - this.#written < this.#every) return;
    for (const [row, values] of this.#rows?.entries() ?? []) await this.#write(row, values);
    await finishBeforeExit(async () => {
      this.close();
      await Deno.rename(`${this.#path(0)}.part`, this.#path(round));
      this.#finish();
      if (this.rounds > 0) await Deno.remove(this.#path(this.rounds)).catch(() => {});
      this.rounds = round;
      await this.#readFrom(round);
    });
    this.#written = performance.now();
  }

  close(): void {
    for (const file of [this.#from, this.#to]) file?.close();
    this.#from = this.#to = undefined;
  }

  async #readFrom(round: number): Promise<void> {
    this.#from = round === 0 ? undefined : await Deno.open(this.#path(round));
  }

  #path(round: number): string {
    return join(this.#folder, `round-${round}.f32`);
  }
}
