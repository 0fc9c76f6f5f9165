import { command, main } from "../cli/command/command.ts";
import { MEMORY_OPTIONS, memoryChoice } from "../cli/options/memory_options.ts";
import { progress } from "../cli/output/progress.ts";
import {
  CACHE,
  DATA,
  DEVICE,
  JSON_PROGRESS,
  openAndAnnounce,
  SEED,
  SPLIT,
  TRAINED_MODEL,
} from "../cli/options/shared_options.ts";
import { settingOptions, settingsGiven } from "../cli/options/method_options.ts";
import { claimOutput } from "../lib/files/claim_output.ts";
import { DATA_METHODS, methodOf } from "../lib/unlearn/methods.ts";

type DataSetting = "learningRate" | "epochs" | "forgettingEpochs" | "batchSize" | "retainWeight";
const SETTINGS = settingOptions<DataSetting>(DATA_METHODS.map(methodOf), "as published");

/** `deno task unlearn-with-data`: SCRUB, Bad Teacher and reference tuning, which read training images. */
export const unlearnWithData = command({
  name: "unlearn-with-data",
  summary:
    "SCRUB, Bad Teacher or reference tuning, to compare with: they read training images, retained ones too",
  options: {
    method: { kind: "choice", of: DATA_METHODS, required: true, help: "how to unlearn" },
    model: TRAINED_MODEL,
    split: SPLIT,
    data: DATA,
    cache: CACHE,
    out: { kind: "path", required: true, value: "DIR", help: "model folder to make" },
    foldModels: {
      kind: "path",
      takes: "fold models",
      value: "DIR",
      help: "reference-tuning: models trained without a fold of the people (KIT.folds)",
    },
    ...SETTINGS,
    ...MEMORY_OPTIONS,
    seed: SEED,
    device: DEVICE,
    jsonProgress: JSON_PROGRESS,
  },
  examples: [
    "deno task unlearn-with-data --method scrub --model model --split split.json --data DIR --out scrubbed",
  ],
  async run(options, terminal) {
    const { method, model, split, data, out, seed } = options;
    const given = Object.keys(SETTINGS).map((name) =>
      [name, options[name as DataSetting]] as const
    );
    using _claim = await claimOutput(out, options.cache === undefined ? [] : [options.cache]);
    const { unlearnWithData: runMethod } = await import("../lib/run/unlearn_with_data.ts");
    const device = await openAndAnnounce(options.device, terminal);
    const { settings, images } = await runMethod({
      ...{ device, method, model, split, data, out, seed },
      settings: settingsGiven(methodOf(method), Object.fromEntries(given)),
      ...memoryChoice(options),
      ...(options.foldModels === undefined ? {} : { foldModels: options.foldModels }),
      ...(options.cache === undefined ? {} : { cache: options.cache }),
      onProgress: progress(terminal, options.jsonProgress),
      onNotice: (line) => terminal.note(line),
    });
    const used = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
    terminal.print(
      `${out}: ${method} (${used.join(", ")}), read ${images.forget} images to forget and ` +
        `${images.retain} to retain`,
    );
  },
});

if (import.meta.main) await main(unlearnWithData);
