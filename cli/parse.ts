import { parseArgs } from "@std/cli/parse-args";
import { closestName } from "../lib/closest_name.ts";
import { UsageError } from "../lib/error.ts";
import { optionName, type OptionRow, type OptionTable, type OptionValues } from "./options.ts";

/**
 * Reads a command line against an option table.
 *
 * @throws UsageError an unknown option (with the nearest known one), a missing, repeated or refused
 *   value, an argument that belongs to no option
 */
export function parseOptions<Table extends OptionTable>(
  table: Table,
  args: readonly string[],
): OptionValues<Table> {
  const keys = new Map(Object.keys(table).map((key) => [optionName(key).slice(2), key]));
  const flags = [...keys].filter(([, key]) => table[key].kind === "flag").map(([name]) => name);
  const valued = [...keys].filter(([, key]) => table[key].kind !== "flag").map(([name]) => name);
  // parse-args gives a valued option without a value an empty string, and takes a following option
  // for none: both are caught below.
  const parsed = parseArgs([...args], {
    boolean: flags,
    string: valued,
    collect: valued,
    negatable: flags,
    default: Object.fromEntries(flags.map((name) => [name, isOn(table[keys.get(name)!])])),
    unknown: (arg: string, key?: string) => {
      if (key !== undefined) throw unknownOption(arg, keys, flags);
      throw new UsageError(
        `${arg || "an empty value"} belongs to no option`,
        "every value follows its option",
        "write --option value; --help lists the options",
      );
    },
  }) as Record<string, unknown>;
  const values: Record<string, unknown> = {};
  for (const [name, key] of keys) {
    values[key] = readOption(`--${name}`, table[key], parsed[name]);
  }
  return values as OptionValues<Table>;
}

/** The remedy for a word that is none of `known`. */
function didYouMean(word: string, known: readonly string[], otherwise: string): string {
  const near = closestName(word, known);
  return near === null ? otherwise : `did you mean ${near}?`;
}

function isOn(row: OptionRow): boolean {
  return row.kind === "flag" && row.default === true;
}

function unknownOption(arg: string, keys: Map<string, string>, flags: string[]): UsageError {
  const known = [...keys.keys(), ...flags.map((name) => `no-${name}`)].map((name) => `--${name}`);
  const name = arg.replace(/=.*/s, "");
  return new UsageError(
    `${name} is no option of this command`,
    "it takes those that --help lists",
    didYouMean(name, known, "see --help"),
  );
}

function readOption(name: string, row: OptionRow, given: unknown): unknown {
  if (row.kind === "flag") {
    return typeof given === "boolean" && given !== undefined
      ? given || false
      : row.default ?? false;
  }
  const texts = given as string[] | undefined ?? [];
  if (texts.length === 0) {
    if (!row.required) return "default" in row ? row.default : undefined;
    throw new UsageError(`${name} is missing`, "the command needs it", `add ${name}: ${row.help}`);
  }
  if (texts.length > 1) {
    throw new UsageError(
      `${name} stands ${texts.length} times`,
      "an option has one value",
      row.kind === "list" ? "separate the values by commas" : "keep one of them",
    );
  }
  const [text] = texts;
  if (text === "") {
    throw new UsageError(`${name} has no value`, "it takes one", `write ${name} ${sample(row)}`);
  }
  return readValue(name, row, text);
}

function sample(row: OptionRow): string {
  if (row.kind === "choice") return row.of.join("|");
  return row.kind === "integer" || row.kind === "number" ? "NUMBER" : "VALUE";
}

function readValue(name: string, row: Exclude<OptionRow, { kind: "flag" }>, text: string) {
  switch (row.kind) {
    case "integer":
    case "number":
      return readNumber(name, row, text);
    case "choice":
      return readChoice(name, row.of, text);
    case "list": {
      const items = text.split(",").map((item) => item.trim()).filter((item) => item !== "");
      return row.of ? items.map((item) => readChoice(name, row.of!, item)) : items;
    }
    default:
      return text;
  }
}

function readNumber(
  name: string,
  { kind, min = -Infinity, max = Infinity }: { kind: string; min?: number; max?: number },
  text: string,
): number {
  const value = Number(text);
  const right = /^[-+.\deE]+$/.test(text) && Number.isFinite(value) &&
    (kind === "number" || Number.isSafeInteger(value));
  const range = min === -Infinity && max === Infinity
    ? ""
    : max === Infinity
    ? ` of at least ${min}`
    : ` from ${min} to ${max}`;
  if (right && value >= min && value <= max) return value;
  throw new UsageError(
    `${name} ${text}`,
    `it takes ${kind === "integer" ? "a whole number" : "a number"}${range}`,
    "correct it",
  );
}

function readChoice(name: string, choices: readonly string[], text: string): string {
  if (choices.includes(text)) return text;
  throw new UsageError(
    `${name} ${text}`,
    `it takes ${choices.join(", ")}`,
    didYouMean(text, choices, "choose one of them"),
  );
}
