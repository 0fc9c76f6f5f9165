import { UsageError } from "../lib/error.ts";
import { KIT_METHODS, METHOD_SETTINGS } from "../lib/model/kit/method_settings.ts";
import type { MethodChoice } from "../lib/unlearn/unlearn_from_kit.ts";
import { optionName, type OptionTable, type OptionValues } from "./options.ts";
import { SEED } from "./shared_options.ts";

/** Settings of SSD, PGU and JiT; what is not given is as the kit says. */
const SETTINGS = {
  selection: { kind: "number", min: 0, max: 1e9, help: "ssd: alpha (as the kit says)" },
  dampening: { kind: "number", min: 0, max: 1e9, help: "ssd: lambda (as the kit says)" },
  learningRate: {
    kind: "number",
    min: 0,
    max: 1e6,
    help: "pgu, jit: of the steps (as the kit says)",
  },
  epochs: { kind: "integer", min: 1, max: 10_000, help: "pgu: steps (as the kit says)" },
  gamma: {
    kind: "number",
    min: 0,
    max: 1,
    help: "pgu: share of the retained directions that is kept (as the kit says)",
  },
  noise: {
    kind: "number",
    min: 1e-9,
    max: 1e9,
    help: "jit: deviation of the noise (as the kit says)",
  },
  draws: {
    kind: "integer",
    min: 1,
    max: 10_000,
    help: "jit: noisy copies per image (as the kit says)",
  },
} as const satisfies OptionTable;

/** `--method` and all that sets one. */
export const METHOD_OPTIONS = {
  method: {
    kind: "choice",
    of: KIT_METHODS,
    default: "metaunlearn",
    help: "how to unlearn; ssd and pgu need a kit with statistics",
  },
  seed: { ...SEED, help: "jit: of the noise" },
  ...SETTINGS,
} as const satisfies OptionTable;

/**
 * The method that a command line asks for.
 *
 * @throws UsageError a setting that the method does not have
 */
export function methodChoice(options: OptionValues<typeof METHOD_OPTIONS>): MethodChoice {
  const { method, seed } = options;
  const own = method === "metaunlearn" ? [] : Object.keys(METHOD_SETTINGS[method]);
  const set: Record<string, number> = {};
  for (const name of Object.keys(SETTINGS) as (keyof typeof SETTINGS)[]) {
    const value = options[name];
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
  return { method, seed, set };
}
