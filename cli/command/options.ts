import type { Input } from "./input_kinds.ts";

/** What every option has. */
interface Common {
  /** One sentence without a full stop; `--help` adds what is assumed. */
  readonly help: string;
  /** The command cannot do without it. */
  readonly required?: true;
  /**
   * It does something only with one of these: `key`, an option that is given another value than is assumed,
   * or `key=value`. Who gives it without is told so, in place of a run without it.
   */
  readonly with?: readonly string[];
}

/** The path, or each of the list's, is looked at before the command runs: see {@link checkInputs}. */
interface Reads {
  readonly takes?: Input;
}

/** One row of a command's option table; `value` names the value in `--help`. */
export type OptionRow =
  | Common & { readonly kind: "flag"; readonly default?: boolean }
  | Common & Reads & {
    readonly kind: "text" | "path";
    readonly default?: string;
    readonly value?: string;
    /** The value may begin with a dash: it is options of another program's. */
    readonly dashes?: true;
  }
  | Common & {
    readonly kind: "integer" | "number";
    readonly default?: number;
    /** Smallest and largest allowed value. */
    readonly min?: number;
    readonly max?: number;
  }
  | Common & {
    readonly kind: "choice";
    readonly of: readonly string[];
    readonly default?: string;
  }
  | Common & Reads & {
    /** Values separated by commas, none twice. */
    readonly kind: "list";
    readonly of?: readonly string[];
    readonly default?: readonly string[];
    readonly value?: string;
  }
  /** `--json FILE`, or `--json` alone: the file, or `-` for standard output. */
  | Common & { readonly kind: "json" };

/** A command's options: names in camelCase here, in kebab-case on the command line. */
export type OptionTable = Readonly<Record<string, OptionRow>>;

type ValueOf<Row extends OptionRow> = Row extends { kind: "flag" } ? boolean
  : Row extends { kind: "integer" | "number" } ? number
  : Row extends { kind: "choice"; of: readonly (infer Choice)[] } ? Choice
  : Row extends { kind: "list"; of: readonly (infer Choice)[] } ? readonly Choice[]
  : Row extends { kind: "list" } ? readonly string[]
  : string;

type IsSet<Row extends OptionRow> = Row extends { kind: "flag" } ? true
  : Row extends { required: true } ? true
  : Row extends { default: string | number | readonly string[] } ? true
  : false;

/** The values that a table's command gets: undefined only where nothing was given and nothing assumed. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: IsSet<Table[Name]> extends true ? ValueOf<Table[Name]>
    : ValueOf<Table[Name]> | undefined;
};

/** metaLearningRate -> --meta-learning-rate */
export function optionName(key: string): string {
  return "--" + key.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase());
}

/**
 * What stands for an option's value in `--help` and in remedies: `PATH`, `N`, `auto|wasm`; empty
 * for flags.
 */
export function valueName(row: OptionRow): string {
  switch (row.kind) {
    case "flag":
      return "";
    case "choice":
      return row.of.join("|");
    case "integer":
    case "number":
      return "N";
    case "json":
      return "[FILE]";
    case "list":
      return row.value ?? "A,B,..";
    case "path":
      return row.value ?? "PATH";
    case "text":
      return row.value ?? "TEXT";
  }
}
