/** What every option has. */
interface Common {
  readonly help: string;
  /** The command cannot do without it. */
  readonly required?: true;
}

/** One row of a command's option table. */
export type OptionRow =
  | Common & { readonly kind: "flag"; readonly default?: boolean }
  | Common & { readonly kind: "text"; readonly default?: string; readonly value?: string }
  | Common & { readonly kind: "path"; readonly default?: string; readonly value?: string }
  | Common & {
    readonly kind: "integer" | "number";
    readonly default?: number;
    readonly min?: number;
    readonly max?: number;
  }
  | Common & {
    readonly kind: "choice";
    readonly of: readonly string[];
    readonly default?: string;
  }
  | Common & { readonly kind: "list"; readonly of?: readonly string[]; readonly value?: string };

/** A command's options: names in camelCase here, in kebab-case on the command line. */
export type OptionTable = Readonly<Record<string, OptionRow>>;

type ValueOf<Row extends OptionRow> = Row extends { kind: "flag" } ? boolean
  : Row extends { kind: "integer" | "number" } ? number
  : Row extends { kind: "choice"; of: readonly (infer Choice)[] } ? Choice
  : Row extends { kind: "list"; of: readonly (infer Choice)[] } ? Choice[]
  : Row extends { kind: "list" } ? string[]
  : string;

type IsSet<Row extends OptionRow> = Row extends { kind: "flag" } ? true
  : Row extends { required: true } ? true
  : Row extends { default: string | number | boolean } ? true
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
