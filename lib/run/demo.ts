import { join } from "@std/path";
import { exportRequests } from "../data/requests/export_requests.ts";
import { hashImages } from "../data/loader/image_store.ts";
import { openDataset } from "../data/open_dataset.ts";
import { PRIVATE_LABELS, VISIBLE_LABELS } from "../data/portraits/labels.ts";
import { writePortraits } from "../data/portraits/write_portraits.ts";
import { makeSplit } from "../data/split.ts";
import { writeSplit } from "../data/split_file.ts";
import type { PresetName } from "../model/config.ts";
import { TRAINING_RECIPES, type TrainingRecipe } from "../model/recipes.ts";
import type { Device } from "../tensor/device.ts";
import type { MetaEpoch } from "../unlearn/meta_unlearn/meta_learn.ts";
import { evaluateLabelSets, type EvaluationReport } from "./evaluate_model.ts";
import type { MemoryChoice } from "./memory/remember_people.ts";
import { metaLearnKit } from "./meta_learn_kit.ts";
import type { MetaLearnSettings } from "./meta_learning/settings.ts";
import type { OnProgress } from "./progress.ts";
import { trainModel } from "./train_model.ts";
import { trainInWorker } from "./training/train_worker.ts";
import { unlearnRequests } from "./unlearn_requests.ts";

/** Sizes and settings of the demo: minutes on two cores, and enough people to learn to forget from. */
export const DEMO = {
  identities: 160,
  imagesPerIdentity: 6,
  imageSide: 32,
  /** People who ask to be forgotten. */
  forget: 8,
  preset: "vit_demo_patch8_32" satisfies PresetName,
  recipe: {
    ...TRAINING_RECIPES.find(({ name }) => name === "portraits")!,
    epochs: 40,
    batchSize: 64,
    learningRate: 1.5e-3,
  } satisfies TrainingRecipe,
  /** Chosen by the Tug-of-War that held-out simulated requests estimate, see README. */
  metaLearning: {
    requestSize: 8,
    epochs: 3,
    learningRate: 3e-5,
    batchSize: 64,
    dropout: 0,
    keep: "retain",
    keepWeight: 0.15,
    stepSizeLearningRate: 0.1,
    metaLearningRate: 0.1,
    inputs: ["logits", "targets"],
    form: { distance: "smooth_l1", terms: "second", scaled: false, align: "labels" },
    hidden: 512,
    embeddingSize: 64,
    start: "ascent",
    varySupport: true,
    holdOut: 0.15,
  } satisfies MetaLearnSettings,
  /** What the kit remembers of each person: as many folds as minutes on two cores allow. */
  memory: {
    rank: null,
    folds: 4,
    foldSets: 1,
    requestSizes: [8],
    // Retraining costs the others more here than the default's limit.
    mostLost: 1,
    atOnce: 2,
    // A second core, or a card, has time while the meta-loss is learned.
    beside: true,
  } satisfies MemoryChoice,
} as const;

/** How the demo forgets: by what the kit remembers of each person, or by the learned loss alone. */
export type DemoMethod = "memory" | "metaunlearn";

/** Every {@link DemoMethod}. */
export const DEMO_METHODS = ["memory", "metaunlearn"] as const satisfies readonly DemoMethod[];

/** How the demo came out: three models, on the visible labels and on the private facts. */
export interface DemoReport {
  /** Models in order: pretrained, unlearned; and the retrained oracle. */
  readonly all: EvaluationReport;
  /** On labels that pictures show. */
  readonly visible: EvaluationReport;
  /** On labels that no picture shows. */
  readonly privateFacts: EvaluationReport;
  /** A line per meta-epoch. */
  readonly metaLearning: readonly MetaEpoch[];
}

/**
 * The main job end to end on the built-in portraits: draw, split, train, retrain without the people
 * to forget (the oracle), make the kit, unlearn from one picture each, evaluate.
 *
 * The oracle, which only the evaluation needs, is trained in a worker meanwhile.
 *
 * @param folder an empty or new folder to work in
 * @param onProgress of the main thread
 */
export async function demo(
  folder: string,
  device: Device,
  seed: number,
  onProgress?: OnProgress,
  method: DemoMethod = "memory",
): Promise<DemoReport> {
  const at = (name: string) => join(folder, name);
  await writePortraits(at("portraits"), {
    identities: DEMO.identities,
    imagesPerIdentity: DEMO.imagesPerIdentity,
    side: DEMO.imageSide,
    seed,
    onProgress: (done, total) => onProgress?.({ stage: "draw", done, total, unit: "pictures" }),
  });
  const dataset = await openDataset("celeba", at("portraits"));
  const hashes = await hashImages(dataset.root, dataset.samples.map(({ file }) => file));
  const split = makeSplit(dataset, { forget: DEMO.forget, seed, hashes });
  await writeSplit(at("split.json"), split);
  await exportRequests(split, dataset, at("requests"));

  const training = {
    split: at("split.json"),
    data: at("portraits"),
    preset: DEMO.preset,
    recipe: DEMO.recipe,
    seed,
  };
  const oracle = trainInWorker({
    ...training,
    out: at("retrained"),
    withoutForget: true,
    backend: device.backend,
  });
  // Should the main thread fail first, this must not end the process with a second error.
  oracle.catch(() => {});
  await trainModel({
    ...training,
    device,
    out: at("model"),
    withoutForget: false,
    onProgress,
  });
  const metaLearning = await metaLearnKit({
    device,
    model: at("model"),
    split: at("split.json"),
    data: at("portraits"),
    out: at("kit"),
    // A kit holds a meta-loss; where it is not used, it need not be learned for long.
    settings: { ...DEMO.metaLearning, ...(method === "memory" ? { epochs: 1 } : {}) },
    seed,
    microBatch: 64,
    // The other methods' part.
    statistics: "none",
    ...(method === "memory" ? { memory: DEMO.memory } : {}),
    onProgress,
  });
  await unlearnRequests({
    device,
    kit: at("kit"),
    support: at("requests"),
    out: at("unlearned"),
    // The requests are the demo's own: each shows whom it names.
    matchCheck: false,
  });
  await oracle;
  const [all, visible, privateFacts] = await evaluateLabelSets(
    {
      split: at("split.json"),
      data: at("portraits"),
      models: [at("model"), at("unlearned/model")],
      retrained: at("retrained"),
    },
    [undefined, VISIBLE_LABELS, PRIVATE_LABELS],
  );
  return { all, visible, privateFacts, metaLearning };
}
