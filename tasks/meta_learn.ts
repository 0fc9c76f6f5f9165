import { command, main } from "../cli/command/command.ts";
import { MEMORY_OPTIONS, memoryChoice } from "../cli/options/memory_options.ts";
import {
  foldChoice,
  MEMORY_ROW_OPTIONS,
  memoryRowChoice,
} from "../cli/options/memory_row_options.ts";
import { META_OPTIONS, metaLearnSettings } from "../cli/options/meta_options.ts";
import { progress } from "../cli/output/progress.ts";
import {
  CACHE,
  DATA,
  DEVICE,
  JSON_PROGRESS,
  openAndAnnounce,
  PRECISION,
  receiptOf,
  SEED,
  SIGNING_KEY,
  SPLIT,
  TRAINED_MODEL,
} from "../cli/options/shared_options.ts";
import { percent } from "../cli/output/table.ts";
import { claimOutput } from "../lib/files/claim_output.ts";
import { whileMaking } from "../lib/files/kept_when_interrupted.ts";
import type { Interval } from "../lib/measure/bootstrap.ts";
import { METHOD_SETTINGS_CHOICES } from "../lib/run/meta_learning/settings.ts";
import { writeMetaHistory } from "../cli/output/write_history.ts";
import { STATISTICS_CHOICES } from "../lib/unlearn/statistics_choice.ts";

/** `deno task meta-learn`: Algorithm 1, training. */
export const metaLearn = command({
  name: "meta-learn",
  summary: "learns to forget (Algorithm 1) and writes the kit, after which the data can be deleted",
  options: {
    model: TRAINED_MODEL,
    split: SPLIT,
    data: DATA,
    cache: CACHE,
    out: { kind: "path", required: true, value: "DIR", help: "kit folder to make" },
    identityKey: {
      kind: "path",
      takes: "identity key",
      value: "FILE",
      help: "key to use (a new one, beside the kit)",
    },
    ...META_OPTIONS,
    statistics: {
      kind: "choice",
      of: STATISTICS_CHOICES,
      default: "all",
      help: "what SSD and influence (importances) and PGU (all) will need; the kit grows by it",
    },
    methodSettings: {
      kind: "choice",
      of: METHOD_SETTINGS_CHOICES,
      default: "published",
      help: "of SSD, PGU, JiT and influence: the published ones, or chosen on simulated requests",
    },
    ...MEMORY_ROW_OPTIONS,
    ...MEMORY_OPTIONS,
    seed: SEED,
    device: DEVICE,
    precision: PRECISION,
    signingKey: SIGNING_KEY,
    jsonProgress: JSON_PROGRESS,
  },
  examples: [
    "deno task meta-learn --model model --split split.json --data ./celeba --out kit",
    "deno task meta-learn .. --keep retain --step-sizes learned --no-scaled --hold-out 0.15",
  ],
  async run(options, terminal) {
    const { model, split, data, out, identityKey, statistics, methodSettings, seed } = options;
    const memory = memoryRowChoice(options);
    using _told = whileMaking(out); // from here on, though it is claimed later
    const [{ metaLearnKit }, { metaLearningStatePath }, { foldsOf, rowsFolder }] = await Promise
      .all([
        import("../lib/run/meta_learn_kit.ts"),
        import("../lib/run/meta_learning/state.ts"),
        import("../lib/run/memory/remember_people.ts"),
      ]);
    const { folder: folds } = foldsOf(foldChoice(options), out);
    using _claim = await claimOutput(out, [metaLearningStatePath(out), rowsFolder(out), folds]);
    const leaveReceipt = await receiptOf("meta-learn", options, terminal);
    const device = await openAndAnnounce(options.device, terminal, options.precision);
    const settings = (forgetCount: number) => {
      const settings = metaLearnSettings(options, forgetCount);
      if (options.requestSize === undefined && settings.requestSize === forgetCount) {
        terminal.note(`requests of ${forgetCount}, as many people as the split has to forget`);
      }
      return settings;
    };
    const history = await metaLearnKit({
      device,
      model,
      split,
      data,
      out,
      ...(identityKey === undefined ? {} : { identityKey }),
      settings,
      statistics,
      methodSettings,
      seed,
      ...memoryChoice(options),
      folds: foldChoice(options),
      ...(memory ? { memory } : {}),
      ...(options.cache === undefined ? {} : { cache: options.cache }),
      onProgress: progress(terminal, options.jsonProgress),
      onNotice: (line) => terminal.note(line),
      onEpoch({ epoch, objective, forget, heldOut }) {
        const judged = heldOut
          ? `; held out: ToW ${percent(heldOut.tugOfWar)}${between(heldOut.interval)}, forget ${
            percent(heldOut.forget)
          }, ` +
            `retain ${percent(heldOut.retain)}, val ${percent(heldOut.val)}`
          : "";
        terminal.note(
          `epoch ${epoch}: A ${objective.toFixed(5)}, forget ${percent(forget)}${judged}`,
        );
      },
    });
    const best = history.reduce((a, b) =>
      (b.heldOut?.tugOfWar ?? b.epoch) > (a.heldOut?.tugOfWar ?? a.epoch) ? b : a
    );
    await writeMetaHistory(out, history, best.epoch);
    await leaveReceipt(model);
    terminal.print(`${out}: epoch ${best.epoch} of ${history.length}`);
  },
});

/** An interval in percent, in brackets. */
function between(interval: Interval | undefined): string {
  return interval === undefined ? "" : ` (${percent(interval.low)} to ${percent(interval.high)})`;
}

if (import.meta.main) await main(metaLearn);
