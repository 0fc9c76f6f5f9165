import { command, main } from "../cli/command/command.ts";
import { MEMORY_OPTIONS, memoryChoice } from "../cli/options/memory_options.ts";
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
} from "../cli/options/shared_options.ts";
import { rankChoice } from "../cli/options/memory_row_options.ts";
import type { Terminal } from "../cli/output/terminal.ts";
import { percent } from "../cli/output/table.ts";
import { writeTrainingHistory } from "../cli/output/write_history.ts";
import { claimOutput } from "../lib/files/claim_output.ts";
import { whileMaking } from "../lib/files/kept_when_interrupted.ts";
import { type PresetName, PRESETS } from "../lib/model/config.ts";
import { TRAINING_RECIPES } from "../lib/model/recipes.ts";
import { dataSize, recipeFor } from "../lib/run/training/default_preset.ts";
import { openSplit, type SplitData } from "../lib/run/split_data.ts";
import { publishedLayout } from "../lib/unlearn/methods.ts";

/** `deno task train`: f_theta, or with `--without-forget` the retrained oracle. */
export const train = command({
  name: "train",
  summary: "trains a ViT on a split's people (App. A); a stopped run goes on with the same command",
  options: {
    split: SPLIT,
    data: DATA,
    cache: CACHE,
    out: { kind: "path", required: true, value: "DIR", help: "model folder to make" },
    preset: {
      kind: "choice",
      of: Object.keys(PRESETS),
      help: "size of the ViT (by the images' size and number, or that of --init)",
    },
    recipe: {
      kind: "choice",
      of: TRAINING_RECIPES.map(({ name }) => name),
      help:
        "how to train (by the images' size and number; with --init the paper's for the data set)",
    },
    withoutForget: { kind: "flag", help: "leave out the people to forget: the retrained oracle" },
    init: {
      kind: "path",
      takes: "weights",
      value: "PATH",
      help: "start from a model folder, or a ViT's .safetensors of timm's or Hugging Face's",
    },
    epochs: { kind: "integer", min: 1, help: "instead of the recipe's" },
    learningRate: { kind: "number", min: 0, help: "instead of the recipe's" },
    weightDecay: { kind: "number", min: 0, help: "instead of the recipe's" },
    batchSize: { kind: "integer", min: 1, help: "instead of the recipe's" },
    logUpdates: {
      kind: "text",
      default: "none",
      value: "RANK|full|none",
      help: "log what each person's images do to the weights (OUT.updates; as private as the data)",
    },
    ...MEMORY_OPTIONS,
    seed: SEED,
    device: DEVICE,
    precision: PRECISION,
    signingKey: SIGNING_KEY,
    jsonProgress: JSON_PROGRESS,
  },
  examples: [
    "deno task train --split split.json --data ./celeba --out model",
    "deno task train --split split.json --data ./celeba --without-forget --out retrained",
  ],
  async run(options, terminal) {
    const { split, data, out, init, withoutForget, seed } = options;
    const logUpdates = rankChoice("--log-updates", options.logUpdates);
    using _told = whileMaking(out); // from here on, though it is claimed later
    const { trainingStatePath, trainModel } = await import("../lib/run/train_model.ts");
    using _claim = await claimOutput(out, [trainingStatePath(out)]);
    const leaveReceipt = await receiptOf("train", options, terminal);
    const device = await openAndAnnounce(options.device, terminal, options.precision);
    const recipeName = options.recipe ??
      await defaultRecipe(await openSplit(split, data), withoutForget, init, terminal);
    const recipe = TRAINING_RECIPES.find(({ name }) => name === recipeName)!;
    const { epochs, learningRate, weightDecay, batchSize } = options;
    const history = await trainModel({
      device,
      split,
      data,
      out,
      preset: options.preset as PresetName | undefined,
      recipe: {
        ...recipe,
        epochs: epochs ?? recipe.epochs,
        learningRate: learningRate ?? recipe.learningRate,
        weightDecay: weightDecay ?? recipe.weightDecay,
        batchSize: batchSize ?? recipe.batchSize,
      },
      seed,
      withoutForget,
      ...(init === undefined ? {} : { init }),
      ...(logUpdates === undefined ? {} : { logUpdates }),
      ...memoryChoice(options),
      ...(options.cache === undefined ? {} : { cache: options.cache }),
      onProgress: progress(terminal, options.jsonProgress),
      onNotice: (line) => terminal.note(line),
    });
    const undefinedMetric = Number.isNaN(history.at(-1)!.metric ?? NaN);
    if (undefinedMetric) {
      terminal.note(
        "no label has a positive among the validation people: mAP is undefined there, and the last " +
          "epoch was kept",
      );
    }
    const selected = recipe.select === "last" || undefinedMetric
      ? history.at(-1)!
      : history.reduce((a, b) => b.metric > a.metric ? b : a);
    await writeTrainingHistory(out, history, selected.epoch);
    await leaveReceipt(null);
    terminal.print(
      `${out}: epoch ${selected.epoch} of ${history.length} (${
        undefinedMetric ? "last" : recipe.select
      }), ` +
        `validation ${percent(selected.metric)}`,
    );
  },
});

/** From scratch large steps are needed, which would wreck weights that were trained already. */
async function defaultRecipe(
  data: SplitData,
  withoutForget: boolean,
  init: string | undefined,
  terminal: Terminal,
): Promise<string> {
  if (init !== undefined) {
    const name = publishedLayout(data.dataset.name);
    terminal.note(`--recipe ${name}: the paper's for weights to start from (App. A)`);
    return name;
  }
  const size = await dataSize(data, withoutForget);
  const name = recipeFor(size);
  terminal.note(`--recipe ${name}: ${size.why}`);
  return name;
}

if (import.meta.main) await main(train);
