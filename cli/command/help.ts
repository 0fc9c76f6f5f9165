import { optionName, type OptionRow, type OptionTable, valueName } from "./options.ts";

/** What `--help` shows of a command. */
export interface CommandText {
  readonly name: string;
  readonly summary: string;
  readonly options: OptionTable;
  readonly examples: readonly string[];
  readonly notes?: readonly string[];
  /** What exit code 3 says of this command. */
  readonly three?: string;
}

/** Characters per line. */
const WIDTH = 100;
/** A choice longer than this is listed in the help text. */
const LONGEST_VALUE = 24;
/** Options as wide as this or wider have their help on the next line. */
const WIDEST_OPTION = 36;

/** The option as it is written. */
function usage(key: string, row: OptionRow): string {
  const name = optionName(key);
  if (row.kind === "flag") return row.default ? `  ${name}, --no-${name.slice(2)}` : `  ${name}`;
  const value = valueName(row);
  // Many choices stand in the help text instead.
  return `  ${name} ${row.kind === "choice" && value.length > LONGEST_VALUE ? "NAME" : value}`;
}

/** The help with the choices that `usage` leaves out, and what is assumed. */
function explanation(row: OptionRow): string {
  const hidden = row.kind === "list" || valueName(row).length > LONGEST_VALUE;
  const choices = "of" in row && row.of && hidden ? `: ${row.of.join(", ")}` : "";
  return row.help + choices + assumed(row);
}

function assumed(row: OptionRow): string {
  if (row.required) return " (required)";
  if (row.kind === "flag") return row.default ? " (on)" : "";
  if (!("default" in row) || row.default === undefined) return "";
  const all = row.kind === "list" && row.of?.join() === row.default.join();
  return ` (default ${all ? "all" : row.default})`;
}

/** The text of `--help`: summary, options with what is assumed, examples, exit codes. */
export function helpText(
  { name, summary, options, examples, notes = [], three = "audit failed" }: CommandText,
): string {
  const rows = Object.entries(options).map(([key, row]) => ({
    option: usage(key, row),
    help: explanation(row),
  }));
  rows.push({ option: "  --help", help: "prints this text" });
  rows.push({ option: "  --version", help: "prints Lethe's version" });
  const width = Math.max(
    ...rows.map(({ option }) => option.length).filter((length) => length < WIDEST_OPTION),
  ) + 2;
  return [
    ...wrap(`deno task ${name}: ${summary}`, WIDTH),
    "",
    ...rows.flatMap(({ option, help }) => optionLines(option, help, width)),
    ...notes.flatMap((note) => ["", ...wrap(note, WIDTH)]),
    "",
    "Examples:",
    ...examples.map((example) => `  ${example}`),
    "",
    `Exit codes: 0 done, 1 failed, 2 wrong usage, 3 ${three}, 130 interrupted.`,
  ].join("\n");
}

function optionLines(option: string, help: string, width: number): string[] {
  const [first, ...rest] = wrap(help, WIDTH - width);
  const indent = " ".repeat(width);
  const head = option.length < width ? [option.padEnd(width) + first] : [option, indent + first];
  return [...head, ...rest.map((line) => indent + line)];
}

/** Breaks text at spaces into lines of at most `width` characters; a longer word stays whole. */
function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last === "") lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] += ` ${word}`;
    else lines.push(word);
  }
  return lines;
}
