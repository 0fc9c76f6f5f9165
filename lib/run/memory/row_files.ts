import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { finishBeforeExit } from "../../files/finish_before_exit.ts";
import { readPlainText } from "../../files/plain_file.ts";
import { writeWhole } from "../../files/write_whole.ts";
import { differences } from "../../model/saved_state.ts";
import type { RowStore } from "../../unlearn/memory/row_store.ts";

/** What the rows' bits depend on; rows of another run are refused. */
const RUN = "run.json";

/**
 * Everybody's rows in a file for each round: memory holds those of the people at work, whatever their
 * number, and a run that was stopped goes on after its last whole round. The file of a round that was not
 * finished is written anew.
 */
export class RowFiles implements RowStore {
  /** Rounds that are done. */
  rounds = 0;
  readonly #folder: string;
  readonly #people: number;
  readonly #length: number;
  #from: Deno.FsFile | undefined;
  #to: Deno.FsFile | undefined;

  private constructor(folder: string, people: number, length: number) {
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
    const files = new RowFiles(folder, people, length);
    for await (const { name } of Deno.readDir(folder)) {
      const round = Number(/^round-(\d+)\.f32$/.exec(name)?.[1] ?? 0);
      files.rounds = Math.max(files.rounds, round);
    }
    await files.#readFrom(files.rounds);
    return files;
  }

  async read(row: number): Promise<Float32Array> {
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

  async write(row: number, values: Float32Array): Promise<void> {
    this.#to ??= await Deno.open(`${this.#path(this.rounds + 1)}.part`, {
      write: true,
      create: true,
      truncate: true,
    });
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    await this.#to.seek(row * bytes.length, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) done += await this.#to.write(bytes.subarray(done));
  }

  async endRound(round: number): Promise<void> {
    await finishBeforeExit(async () => {
      await this.#to!.sync();
      this.close();
      const path = this.#path(round);
      await Deno.rename(`${path}.part`, path);
      if (round > 1) await Deno.remove(this.#path(round - 1)).catch(() => {});
      this.rounds = round;
      await this.#readFrom(round);
    });
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
