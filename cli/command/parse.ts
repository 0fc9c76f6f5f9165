import { parseArgs } from "@std/cli/parse-args";
import { closestName } from "../../lib/closest_name.ts";
import { UsageError } from "../../lib/error.ts";
import { readValue } from "./option_value.ts";
import {
  optionName,
  type OptionRow,
  type OptionTable,
  type OptionValues,
  valueName,
} from "./options.ts";

/** Words that every command answers to; `execute` looks for them before it parses. */
const ALWAYS = ["help", "version"];

/**
 * Reads a command line against an option table: `--option value`, `--option=value`, `--flag` and
 * `--no-flag`. A leading `--` is skipped, for those used to `npm run task -- ..`.
 *
 * @throws UsageError an unknown option (with the nearest known one), a missing, repeated or refused
 *   value, a word that belongs to no option
 */
export function parseOptions<Table extends OptionTable>(
  table: Table,
  args: readonly string[],
): OptionValues<Table> {
  const given = givenTexts(table, args[0] === "--" ? args.slice(1) : args);
  const values = Object.entries(table).map(([key, row]) => {
    const text = given.get(key);
    if (row.kind === "flag") {
      return [key, text === undefined ? row.default ?? false : text === "on"];
    }
    if (text !== undefined) return [key, readValue(optionName(key), row, text)];
    if (!row.required) return [key, "default" in row ? row.default : undefined];
    const name = optionName(key);
    throw new UsageError(
      `${name} is missing`,
      "the command needs it",
      `add ${name} ${valueName(row)} (${row.help})`,
    );
  });
  const read = Object.fromEntries(values);
  for (const key of given.keys()) refuseIdle(key, table, read);
  return read;
}

/** @throws UsageError an option that does nothing without another, which is not there */
function refuseIdle(
  key: string,
  table: OptionTable,
  values: Readonly<Record<string, unknown>>,
): void {
  const { with: others } = table[key];
  const isThere = (other: string) => {
    const [name, value] = other.split("=");
    if (value !== undefined) return values[name] === value;
    const row = table[name];
    const assumed = row !== undefined && "default" in row ? row.default : undefined;
    return values[name] !== undefined && values[name] !== false && values[name] !== assumed;
  };
  if (others === undefined || others.some(isThere)) return;
  const names = others.map((other) => {
    const [name, value] = other.split("=");
    return optionName(name) + (value === undefined ? "" : ` ${value}`);
  }).join(" or ");
  throw new UsageError(
    `${optionName(key)} without ${names}`,
    "it does nothing alone",
    `add ${names}, or leave it out`,
  );
}

/**
 * Each given option's text by key; a flag's is `on` or `off`.
 *
 * parseArgs splits the line. It is told of no option, so it hands every piece to `unknown`: from options
 * that it knows it takes too much (`--flag=maybe` for true, `-x` for `--x`, the second of two
 * contradicting flags).
 */
function givenTexts(table: OptionTable, args: readonly string[]): Map<string, string> {
  const keys = new Map(Object.keys(table).map((key) => [optionName(key), key]));
  const negated = new Map(
    Object.keys(table).filter((key) => table[key].kind === "flag")
      .map((key) => [`--no-${optionName(key).slice(2)}`, key]),
  );
  const given = new Map<string, string>();
  const unknown = (word: string, found?: string, value?: unknown) => {
    if (found === undefined) throw stray(word);
    const [name] = word.split("=", 1);
    const key = keys.get(name) ?? negated.get(name);
    if (key === undefined) throw noOption(name, [...keys.keys(), ...negated.keys()]);
    if (given.has(key)) throw repeated(name, table[key]);
    if (table[key].kind === "flag") {
      if (name !== word) throw flagWithValue(word, name);
      if (typeof value === "string") throw stray(value);
      given.set(key, keys.has(name) ? "on" : "off");
    } else if (typeof value === "string" && value !== "") given.set(key, value);
    else if (value !== "" && table[key].kind === "json") given.set(key, "-");
    else throw noValue(name, table[key]);
    return false; // nothing is left for parseArgs to keep
  };
  // parseArgs would keep what follows to itself.
  if (args.includes("--")) throw noOption("--", []);
  parseArgs(withDashes(args, table), { unknown });
  return given;
}

/**
 * parseArgs takes `-` and `-1e-3` for options: joined to the option before, they are values; so is
 * whatever follows an option that takes another program's.
 */
function withDashes(args: readonly string[], table: OptionTable): string[] {
  const takesDashes = new Set(
    Object.entries(table).flatMap(([key, row]) =>
      "dashes" in row && row.dashes ? [optionName(key)] : []
    ),
  );
  const words: string[] = [];
  for (const word of args) {
    const isValue = word === "-" || word.startsWith("-") && !Number.isNaN(Number(word)) ||
      takesDashes.has(words.at(-1) ?? "");
    if (isValue && /^--[^=]+$/.test(words.at(-1) ?? "")) words.push(`${words.pop()}=${word}`);
    else words.push(word);
  }
  return words;
}

function stray(word: string): UsageError {
  return new UsageError(
    `${word || "an empty word"} belongs to no option`,
    "every value follows its option",
    "write --option value; --help lists the options",
  );
}

function noOption(name: string, known: readonly string[]): UsageError {
  const bare = (option: string) => option.replace(/^-+/, "");
  const near = closestName(bare(name), [...known.map(bare), ...ALWAYS]);
  return new UsageError(
    `${name} is no option of this command`,
    "it takes those that --help lists",
    near === null ? "see --help" : `did you mean --${near}?`,
  );
}

function repeated(name: string, row: OptionRow): UsageError {
  return new UsageError(
    `${name} is given twice`,
    "an option is given once",
    row.kind === "list" ? "separate its values by commas" : "keep one of them",
  );
}

function flagWithValue(word: string, name: string): UsageError {
  return new UsageError(
    word,
    `${name} is a switch and takes no value`,
    name.startsWith("--no-") ? `write ${name}` : `write ${name} or --no-${name.slice(2)}`,
  );
}

function noValue(name: string, row: OptionRow): UsageError {
  return new UsageError(
    `${name} has no value`,
    "it takes one",
    `write ${name} ${valueName(row)}, or ${name}=VALUE where the value begins with -`,
  );
}
