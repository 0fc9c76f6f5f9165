import { JsonFields, parseJsonObject } from "../files/json_fields.ts";
import { type Kind, line, list, OBJECT } from "../files/json_kinds.ts";

/** A table of results as it is kept in `fixtures/results/`: what was run, where, and what came out. */
export interface WrittenResult {
  /** What was run, as one would type it. */
  readonly command: string;
  /** The commit that was run. */
  readonly commit: string;
  /** As the run named it. */
  readonly adapter: string;
  /** Processor, cores, and what else ran there. */
  readonly machine: string;
  /** YYYY-MM-DD. */
  readonly date: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const DATE: Kind<string> = {
  rule: "a date, YYYY-MM-DD",
  accepts: (value): value is string => typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value),
};
const COMMIT: Kind<string> = {
  rule: "a commit, 7 to 40 hex digits",
  accepts: (value): value is string => typeof value === "string" && /^[0-9a-f]{7,40}$/.test(value),
};
const ROW: Kind<string[]> = list(
  {
    rule: "a text of one line",
    accepts: (value): value is string =>
      typeof value === "string" && value.length < 300 && !value.includes("\n"),
  },
  1,
  20,
);

/** Reads a kept result. @throws {LetheError} the field that is wrong */
export function parseWrittenResult(text: string, file: string): WrittenResult {
  const remedy = "write it anew from the command's results";
  const fields = new JsonFields(parseJsonObject(text, file, remedy), file, remedy);
  const result = {
    command: fields.read("command", line(1000)),
    commit: fields.read("commit", COMMIT),
    adapter: fields.read("adapter", line(200)),
    machine: fields.read("machine", line(300)),
    date: fields.read("date", DATE),
    columns: fields.read("columns", ROW),
    rows: fields.read("rows", list(ROW, 1, 1000)),
  };
  // What a command measured beyond its table, for whoever wants to compute with it.
  fields.optional("data", OBJECT);
  fields.end();
  const short = result.rows.find((row) => row.length !== result.columns.length);
  if (short) {
    fields.refuse(`a row has ${short.length} cells`, `there are ${result.columns.length} columns`);
  }
  return result;
}
