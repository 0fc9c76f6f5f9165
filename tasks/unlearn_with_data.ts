import { command, main } from "../cli/command.ts";
import { MEMORY_OPTIONS, memoryChoice } from "../cli/memory_options.ts";
import { progress } from "../cli/progress.ts";
import {
  DATA,
  DEVICE,
  JSON_PROGRESS,
  openAndAnnounce,
  SEED,
  SPLIT,
} from "../cli/shared_options.ts";
import { DATA_METHODS, unlearnWithData as runMethod } from "../lib/run/unlearn_with_data.ts";

/** `deno task unlearn-with-data`: SCRUB and Bad Teacher, which read the training images. */
export const unlearnWithData = command({
  name: "unlearn-with-data",
  summary:
    "SCRUB or Bad Teacher, to compare with: they read all training images, retained ones too",
  options: {
    method: { kind: "choice", of: DATA_METHODS, required: true, help: "how to unlearn" },
    model: { kind: "path", required: true, value: "DIR", help: "the trained model" },
    split: SPLIT,
    data: DATA,
    out: { kind: "path", required: true, value: "DIR", help: "model folder to make" },
    learningRate: { kind: "number", min: 0, help: "instead of the published" },
    epochs: { kind: "integer", min: 1, help: "instead of the published" },
    forgettingEpochs: { kind: "integer", min: 0, help: "scrub: instead of the published" },
    batchSize: { kind: "integer", min: 1, help: "instead of the published" },
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
    const { learningRate, epochs, forgettingEpochs, batchSize } = options;
    const device = await openAndAnnounce(options.device, terminal);
    const { settings, images } = await runMethod({
      ...{ device, method, model, split, data, out, seed },
      settings: {
        ...(learningRate === undefined ? {} : { learningRate }),
        ...(epochs === undefined ? {} : { epochs }),
        ...(forgettingEpochs === undefined ? {} : { forgettingEpochs }),
        ...(batchSize === undefined ? {} : { batchSize }),
      },
      ...memoryChoice(options),
      onProgress: progress(terminal, options.jsonProgress),
    });
    const used = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
    terminal.print(
      `${out}: ${method} (${used.join(", ")}), read ${images.forget} images to forget and ` +
        `${images.retain} to retain`,
    );
  },
});

if (import.meta.main) await main(unlearnWithData);
