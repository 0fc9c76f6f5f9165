import type { Effort } from "../../lib/bench/compare.ts";
import type { WorkloadSettings } from "../../lib/bench/workload.ts";
import { type PresetName, PRESETS } from "../../lib/model/config.ts";
import type { OptionValues } from "../command/options.ts";
import { DEVICE } from "./shared_options.ts";

/** What every bench is asked for. */
export const BENCH_OPTIONS = {
  preset: {
    kind: "choice",
    of: Object.keys(PRESETS),
    default: "vit_small_patch8_64",
    help: "size of the ViT",
  },
  batch: { kind: "integer", min: 1, max: 4096, default: 32, help: "images per step" },
  labels: { kind: "integer", min: 1, max: 65_536, default: 40, help: "outputs of the head" },
  repetitions: { kind: "integer", min: 1, max: 1000, default: 5, help: "turns at most" },
  seconds: {
    kind: "number",
    min: 0,
    default: 6,
    help: "per figure, after which three turns are enough",
  },
  // A switch, not --json FILE: bench-pytorch has no right to write.
  json: { kind: "flag", help: "print JSON instead of tables" },
  device: DEVICE,
} as const;

/** Seconds that a turn of short work lasts at least. */
const TURN = 0.15;
/** Hidden width of the paper's meta-loss (Table 8b). */
const HIDDEN = 512;

/** The options' model, images and patience; `support` is N_S. */
export function benchSettings(
  options: OptionValues<typeof BENCH_OPTIONS>,
  support: number,
): { settings: WorkloadSettings; effort: Effort } {
  const { preset, batch, labels, repetitions, seconds } = options;
  const shape = PRESETS[preset as PresetName];
  return {
    settings: { shape, batch, support, labels, hidden: HIDDEN },
    effort: { repetitions, seconds, turn: TURN },
  };
}
