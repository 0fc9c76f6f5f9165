import { JsonFields, parseJsonObject } from "../../files/json_fields.ts";
import * as is from "../../files/json_kinds.ts";
import type { Kind } from "../../files/json_kinds.ts";
import { KIT_METHODS, methodOf, parseMethodSettings } from "../../unlearn/methods.ts";
import type { RequestedRow, UnlearnSummary } from "../../run/unlearn_summary.ts";
import { parseSummary } from "../../run/summary_file.ts";
import type { MethodChoice } from "../../unlearn/unlearn_from_kit.ts";
import type { HashedFile } from "./contained_run.ts";

/** What the user may choose about the computing; all of it is part of the record. */
export interface UnlearnSettings {
  /** What computes. */
  readonly device: "auto" | "webgpu" | "wasm";
  /** Images per pass. */
  readonly microBatch: number;
  /** Bytes of device memory to keep within; default what the device is taken to have. */
  readonly memoryLimit?: number | undefined;
  /** Takes a step of a length that no simulated request showed. */
  readonly allowUnusualStep?: boolean;
  /** False takes photographs that seem to show somebody else; default true. */
  readonly matchCheck?: boolean;
  /** Which method, and its settings. */
  readonly choice: MethodChoice;
}

/** All that the launcher tells the worker: where to read and write, and rows in place of names. */
export interface Job {
  readonly nonce: string;
  readonly support: string;
  readonly kit: string;
  /** The folder that gets `model/` and `kit/`. */
  readonly out: string;
  readonly rows: readonly RequestedRow[];
  /** Whether `requests.csv` lies there: the worker may not look into the folder. */
  readonly hasCsv: boolean;
  readonly settings: UnlearnSettings;
}

const PATH = is.line(4096);
/** Bytes, as `--memory-limit` has them: 1.3 GiB is no whole number. */
export const MEMORY = is.real(1, Number.MAX_SAFE_INTEGER);

/** Reads a job. @throws {LetheError} the field that is wrong */
export function parseJob(text: string, file: string): Job {
  const fields = new JsonFields(parseJsonObject(text, file, ""), file, "the launcher writes it");
  const settings = fields.within("settings");
  const job: Job = {
    nonce: fields.read("nonce", is.HASH),
    support: fields.read("support", PATH),
    kit: fields.read("kit", PATH),
    out: fields.read("out", PATH),
    rows: fields.read("rows", is.list(is.OBJECT, 1, 1_000_000)).map((entry, i) => {
      const row = new JsonFields(entry, `${file}: rows[${i}]`, "the launcher writes it");
      const read = {
        file: row.read("file", is.line(1024)),
        row: row.read("row", is.integer(0, Number.MAX_SAFE_INTEGER)),
      };
      const key = row.optional("key", is.HASH);
      row.end();
      return key === undefined ? read : { ...read, key };
    }),
    hasCsv: fields.read("hasCsv", is.BOOLEAN),
    settings: {
      device: settings.read("device", is.oneOf(["auto", "webgpu", "wasm"])),
      microBatch: settings.read("microBatch", is.integer(1, 4096)),
      choice: readChoice(settings.within("choice")),
    },
  };
  const memoryLimit = settings.optional("memoryLimit", MEMORY);
  const allowUnusualStep = settings.optional("allowUnusualStep", is.BOOLEAN);
  const matchCheck = settings.optional("matchCheck", is.BOOLEAN);
  settings.end();
  fields.end();
  return {
    ...job,
    settings: {
      ...job.settings,
      ...(memoryLimit === undefined ? {} : { memoryLimit }),
      ...(allowUnusualStep === undefined ? {} : { allowUnusualStep }),
      ...(matchCheck === undefined ? {} : { matchCheck }),
    },
  };
}

/** The method and the settings of its own that are given. */
function readChoice(fields: JsonFields): MethodChoice {
  const method = fields.read("method", is.oneOf(KIT_METHODS));
  const set = parseMethodSettings(methodOf(method), fields.within("set"), "some");
  const choice = { method, seed: fields.read("seed", is.integer(0, 2 ** 32 - 1)), set };
  fields.end();
  return choice;
}

/** How the worker ended: what it made and read, or an error in the house's form or another one. */
export type Result =
  | { readonly summary: UnlearnSummary; readonly read: readonly HashedFile[] }
  | { readonly refused: Refusal }
  | { readonly failed: string };

/** A LetheError's parts. */
export interface Refusal {
  readonly value: string;
  readonly rule: string;
  readonly remedy: string;
  readonly exitCode: 1 | 2 | 3;
}

const TEXT: Kind<string> = {
  rule: "text",
  accepts: (value): value is string => typeof value === "string" && value.length < 100_000,
};
const COUNT = is.integer(0, Number.MAX_SAFE_INTEGER);

/**
 * Reads the worker's answer, the last line of its standard output.
 *
 * @param nonce what the job gave it
 * @throws {LetheError} it is no answer to this job
 */
export function parseResult(text: string, nonce: string): Result {
  const remedy = "run again; if it stays so, the code in lib/ is not what it was";
  const answer = "the worker's answer";
  const fields = new JsonFields(parseJsonObject(text, answer, remedy), answer, remedy);
  if (fields.read("nonce", is.HASH) !== nonce) {
    fields.refuse("its nonce is another", "it is the job's");
  }
  const failed = fields.optional("failed", TEXT);
  if (failed !== undefined) return { failed };
  if (fields.optional("refused", is.OBJECT)) {
    const refused = fields.within("refused");
    return {
      refused: {
        value: refused.read("value", TEXT),
        rule: refused.read("rule", TEXT),
        remedy: refused.read("remedy", TEXT),
        exitCode: refused.read("exitCode", is.integer(1, 3)) as 1 | 2 | 3,
      },
    };
  }
  // Its hashes are held against the files.
  const summary = parseSummary(fields.read("summary", is.OBJECT), `${answer}: summary`, remedy);
  const read = fields.read("read", is.list(is.OBJECT, 0, 2_000_000)).map((entry, i) => {
    const file = new JsonFields(entry, `${answer}: read[${i}]`, remedy);
    return {
      path: file.read("path", PATH),
      sha256: file.read("sha256", is.HASH),
      bytes: file.read("bytes", COUNT),
    };
  });
  fields.end();
  return { summary, read };
}
