import { join } from "@std/path";
import { writePortraits } from "../data/portraits/write_portraits.ts";
import { buildFolder } from "../files/write_whole.ts";
import { readModel } from "../model/checkpoint.ts";
import { uploadWeights } from "../model/device_weights.ts";
import { metaLearnKit } from "../run/meta_learn_kit.ts";
import { DEFAULT_FOLDS } from "../run/memory/settings.ts";
import { updatesFolder } from "../run/memory/stored_updates.ts";
import type { OnProgress } from "../run/progress.ts";
import { openSplit, type SplitData } from "../run/split_data.ts";
import { splitDataset } from "../run/split_dataset.ts";
import { openImages, type SplitImages } from "../run/split_images.ts";
import { trainModel } from "../run/train_model.ts";
import type { Device } from "../tensor/device.ts";
import { disposeWeights } from "../tensor/weights.ts";
import { chooseSettings } from "../run/choose_settings.ts";
import { describeSplit } from "./describe_split.ts";
import { measureCell } from "./measure_cell.ts";
import { PREDICTED_PARTS } from "./predictions/parts.ts";
import { openPredictions } from "./predictions/read_predictions.ts";
import { writePredictions } from "./predictions/write_predictions.ts";
import { runMemorySequence, runSequence } from "./run_sequence.ts";
import { RESULT_FILE, type Stage } from "./stage.ts";
import { memoryMethod, writeMemoryRows } from "./memory/memory_rows.ts";
import { writeFolds } from "./memory/write_folds.ts";
import { methodOf } from "../unlearn/methods.ts";
import { disposeStatistics } from "../unlearn/training_statistics.ts";
import { readStatistics, writeStatistics } from "./statistics.ts";
import { baselineMethod, kitMethod, unlearnBoth } from "./unlearn_with_reference.ts";

/** Images per pass through the backbone in meta-learning. */
const MICRO_BATCH = 64;
const SPLIT_FILE = "split.json";

/** What a stage may be told besides its task; nothing of it changes its result. */
export interface StageOptions {
  /** A folder that keeps decoded images. */
  readonly cache?: string | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Gets a line worth knowing, such as that the cache takes no more. */
  readonly onNotice?: ((line: string) => void) | undefined;
}

/**
 * Makes a stage's folder, whole or not at all. Training and meta-learning save each epoch beside it
 * and go on from there.
 *
 * @throws LetheError bad input, or the folder exists
 */
export async function runStage(
  { task, inputs, out }: Pick<Stage, "task" | "inputs" | "out">,
  device: Device,
  { cache, onProgress, onNotice }: StageOptions = {},
): Promise<void> {
  const split = inputs.split && join(inputs.split, SPLIT_FILE);
  const data = () => openSplit(split, inputs.data);
  const imagesOf = (data: SplitData) => splitImages(data, cache, onNotice);
  const watched = { cache, onProgress, ...(onNotice ? { onNotice } : {}) };
  const start = inputs.init === undefined ? {} : { init: inputs.init };
  switch (task.kind) {
    case "draw":
      return await writePortraits(out, { ...task.portraits, seed: 0 });
    case "split":
      return await makeSplit(task, inputs.data, out, onProgress);
    case "train": {
      const { kind: _, ...training } = task;
      return void await trainModel({
        device,
        split,
        data: inputs.data,
        out,
        ...watched,
        ...start,
        ...training,
      });
    }
    case "meta-learn":
      return void await metaLearnKit({
        device,
        model: inputs.model,
        split,
        data: inputs.data,
        out,
        identityKey: inputs.identityKey,
        settings: task.settings,
        seed: task.seed,
        microBatch: MICRO_BATCH,
        ...(inputs.folds ? { folds: { ...DEFAULT_FOLDS, foldModels: inputs.folds } } : {}),
        // The grid has a stage of its own for them.
        statistics: "none",
        ...watched,
      });
    case "folds":
      return await writeFolds(task, inputs, split, await data(), device, out, onProgress);
    case "log-updates": {
      const { kind: _, ...training } = task;
      const again = `${out}.model`;
      await trainModel({
        ...{ device, split, data: inputs.data, out: again, withoutForget: false, logUpdates: null },
        ...watched,
        ...start,
        ...training,
      });
      await Deno.remove(again, { recursive: true });
      return await Deno.rename(updatesFolder(again), out);
    }
    case "memorise": {
      const opened = await data();
      return await writeMemoryRows(
        { ...inputs, splitFile: split },
        opened,
        imagesOf(opened),
        {
          ...{ device, settings: task.settings, ranks: task.ranks, seed: task.seed },
          // What the folds' own stage dealt.
          ...{ count: 2, sets: 1, microBatch: MICRO_BATCH },
          ...(inputs.updates ? { storedUpdates: inputs.updates } : {}),
          ...(onProgress ? { onProgress } : {}),
        },
        out,
      );
    }
    case "predict": {
      const { config, theta: host } = await readModel(inputs.model);
      const opened = await data();
      const theta = uploadWeights(host);
      const images = imagesOf(opened);
      const parts = [...PREDICTED_PARTS, "support"] as const;
      const plan = { models: ["model"], parts, wanted: "both" } as const;
      await writePredictions(
        out,
        config,
        opened,
        images,
        plan,
        (predict) => predict("model", theta),
      );
      return disposeWeights(theta);
    }
    case "statistics": {
      const [model, opened] = [await readModel(inputs.model), await data()];
      return await writeStatistics(
        model,
        opened,
        imagesOf(opened),
        out,
      );
    }
    case "choose": {
      const [model, opened] = [await readModel(inputs.model), await data()];
      const statistics = inputs.statistics ? await readStatistics(inputs.statistics) : undefined;
      const images = imagesOf(opened);
      const { method, candidates, seed } = task;
      const chosen = await chooseSettings(
        methodOf(method),
        candidates,
        model,
        opened,
        images,
        statistics,
        seed,
        {
          ...(inputs.folds ? { foldModels: inputs.folds } : {}),
          onRequest: (done, total) =>
            onProgress?.({ stage: "choose", done, total, unit: "simulated requests" }),
        },
      );
      disposeStatistics(statistics);
      return await writeResult(out, chosen);
    }
    case "unlearn": {
      const opened = await data();
      const images = imagesOf(opened);
      const method = inputs.memory
        ? await memoryMethod(inputs, task.rank ?? null, opened)
        : inputs.kit
        ? await kitMethod(task.method, task.seed, inputs, opened, images)
        : await baselineMethod(task.method, task.seed, inputs, opened, images);
      return await unlearnBoth(method, inputs, opened, images, out);
    }
    case "sequence": {
      const opened = await data();
      const images = imagesOf(opened);
      using oracle = await openPredictions(inputs.retrained);
      const retrained = oracle.rows("model");
      if (inputs.memory) {
        return await runMemorySequence(task, inputs, opened, images, retrained, out);
      }
      return await runSequence(device, task.requests, inputs, opened, images, retrained, out);
    }
    case "describe": {
      using before = await openPredictions(inputs.original);
      using oracle = await openPredictions(inputs.retrained);
      const description = describeSplit(await data(), before.rows("model"), oracle.rows("model"));
      return await writeResult(out, description);
    }
    case "measure": {
      using before = await openPredictions(inputs.original);
      using oracle = await openPredictions(inputs.retrained);
      using after = inputs.unlearned === undefined ? null : await openPredictions(inputs.unlearned);
      const retrained = oracle.rows("model");
      const measurement = measureCell(
        await data(),
        {
          retrained,
          unlearned: after?.rows("unlearned") ?? before.rows("model"),
          reference: after?.rows("reference") ?? retrained,
          seconds: after?.seconds ?? null,
        },
        task.measure,
        task.seed,
      );
      return await writeResult(out, measurement);
    }
  }
}

async function makeSplit(
  { layout, forget, seed }: Extract<Stage["task"], { kind: "split" }>,
  data: string,
  out: string,
  onProgress: OnProgress | undefined,
): Promise<void> {
  await buildFolder(out, async (staging) => {
    await splitDataset({
      ...{ dataset: layout, data, forget, seed, out: join(staging, SPLIT_FILE) },
      // Whatever does not decode is told by the first stage that reads it.
      check: false,
      onProgress,
    });
  });
}

async function writeResult(out: string, result: unknown): Promise<void> {
  await buildFolder(out, async (staging) => {
    await Deno.writeTextFile(join(staging, RESULT_FILE), JSON.stringify(result) + "\n");
  });
}

/** The images of the split that was worked on last: the stages of one split follow each other. */
let last: { readonly key: string; readonly images: SplitImages } | undefined;

function splitImages(
  data: SplitData,
  cache: string | undefined,
  onNotice: StageOptions["onNotice"],
): SplitImages {
  const key = `${data.sha256} ${data.dataset.root}`;
  if (last?.key !== key) {
    closeImages();
    last = { key, images: openImages(data, cache, onNotice) };
  }
  return last.images;
}

/** Ends the thread that a stage's images came from. */
export function closeImages(): void {
  last?.images[Symbol.dispose]();
  last = undefined;
}
