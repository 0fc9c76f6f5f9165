import { optionName, type OptionRow, type OptionTable } from "./options.ts";

/** What `--help` shows of a command. */
export interface CommandText {
  readonly name: string;
  readonly summary: string;
  readonly options: OptionTable;
  readonly examples: readonly string[];
}

function placeholder(row: OptionRow): string {
  switch (row.kind) {
    case "flag":
      return "";
    case "choice":
      return ` ${row.of.join("|")}`;
    case "integer":
    case "number":
      return " N";
    case "list":
      return ` ${row.value ?? "A,B,.."}`;
    default:
      return ` ${row.value ?? (row.kind === "path" ? "PATH" : "TEXT")}`;
  }
}

function assumed(row: OptionRow): string {
  if (row.required) return " (required)";
  if (row.kind === "flag") return row.default ? " (on; --no- turns it off)" : "";
  const value = "default" in row ? row.default : undefined;
  return value === undefined ? "" : ` (${value})`;
}

/** The text of `--help`: summary, options with what is assumed, examples, exit codes. */
export function helpText({ name, summary, options, examples }: CommandText): string {
  const rows = Object.entries(options).map(([key, row]) => ({
    left: `  ${optionName(key)}${placeholder(row)}`,
    right: `${row.help}${assumed(row)}`,
  }));
  rows.push({ left: "  --help", right: "this text" });
  const width = Math.min(40, Math.max(...rows.map(({ left }) => left.length)));
  const lines = rows.map(({ left, right }) =>
    left.length > width
      ? `${left}\n${" ".repeat(width)}  ${right}`
      : `${left.padEnd(width)}  ${right}`
  );
  return [
    `deno task ${name}: ${summary}`,
    "",
    ...lines,
    "",
    ...examples.map((example) => `  ${example}`),
    "",
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 audit failed.",
  ].join("\n");
}
