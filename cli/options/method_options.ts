import { UsageError } from "../../lib/error.ts";
import {
  KIT_METHODS,
  type MethodName,
  methodOf,
  type SettingName,
} from "../../lib/unlearn/methods.ts";
import type { Method } from "../../lib/unlearn/methods/method.ts";
import type { MethodChoice } from "../../lib/unlearn/unlearn_from_kit.ts";
import { optionName, type OptionTable, type OptionValues } from "../command/options.ts";
import { SEED } from "./shared_options.ts";

/** Options for the settings of some methods; what is not given is as `otherwise` says. */
export function settingOptions<Names extends SettingName>(
  methods: readonly Method[],
  otherwise: string,
): Readonly<Record<Names, NumberRow>> {
  const rows: Record<string, NumberRow> = {};
  for (const { name, settings } of methods) {
    for (const [setting, { kind, min, max, help }] of Object.entries(settings)) {
      const known = rows[setting];
      rows[setting] = known
        ? {
          kind: known.kind,
          min: Math.min(min, known.min),
          max: Math.max(max, known.max),
          help: `${known.help}; ${name}: ${help}`,
        }
        : { kind, min, max, help: `${name}: ${help}` };
    }
  }
  for (const row of Object.values(rows)) Object.assign(row, { help: `${row.help} (${otherwise})` });
  return rows as Record<Names, NumberRow>;
}

interface NumberRow {
  readonly kind: "integer" | "number";
  readonly min: number;
  readonly max: number;
  readonly help: string;
}

/** Settings of the methods that unlearn from a kit. */
type KitSetting =
  | "selection"
  | "dampening"
  | "learningRate"
  | "epochs"
  | "gamma"
  | "noise"
  | "damping"
  | "draws";
const SETTINGS = settingOptions<KitSetting>(KIT_METHODS.map(methodOf), "as the kit says");

/** The settings that are given, of the method that has them. @throws UsageError it has them not */
export function settingsGiven(
  { name: method, settings }: Method,
  given: Readonly<Record<string, number | undefined>>,
): Record<string, number> {
  const own = Object.keys(settings);
  const set: Record<string, number> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!own.includes(name)) {
      throw new UsageError(
        `${optionName(name)} with --method ${method}`,
        own.length === 0
          ? "MetaUnlearn's settings are learned with its meta-loss and lie in the kit"
          : `its settings are ${own.map(optionName).join(", ")}`,
        "leave it out, or choose the method that it belongs to",
      );
    }
    set[name] = value;
  }
  return set;
}

/** `--method` and all that sets one. */
export const METHOD_OPTIONS = {
  method: {
    kind: "choice",
    of: KIT_METHODS,
    help: "how to unlearn (memory where the kit remembers people, else metaunlearn); ssd, pgu " +
      "and influence need a kit with statistics",
  },
  seed: { ...SEED, help: "jit: of the noise" },
  ...SETTINGS,
} as const satisfies OptionTable;

/**
 * The method that a command line asks for.
 *
 * @param otherwise the kit's own
 * @throws UsageError a setting that the method does not have
 */
export function methodChoice(
  options: OptionValues<typeof METHOD_OPTIONS>,
  otherwise: MethodName = "metaunlearn",
): MethodChoice {
  const { method = otherwise, seed } = options;
  const given = Object.keys(SETTINGS).map((name) => [name, options[name as KitSetting]] as const);
  return { method, seed, set: settingsGiven(methodOf(method), Object.fromEntries(given)) };
}
