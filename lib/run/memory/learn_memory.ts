import type { ImageFeed } from "../../data/loader/image_source.ts";
import type { ModelConfig } from "../../model/config.ts";
import { downloadWeights } from "../../model/device_weights.ts";
import type { RequestScale } from "../../model/kit/memory_index.ts";
import { rowBytes } from "../../model/kit/memory_row.ts";
import { layerShapes, ROW_LAYERS, type RowLayers } from "../../model/kit/row_layers.ts";
import type { Weight } from "../../model/safetensors.ts";
import { predict } from "../../model/predict.ts";
import type { Random } from "../../random.ts";
import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import { disposeWeights, type Weights } from "../../tensor/weights.ts";
import { chooseScale, type ScaleTrial } from "../../unlearn/memory/choose_scale.ts";
import { unflatten } from "../../unlearn/memory/flat.ts";
import {
  disposeMoments,
  gradientMoments,
  sampledResiduals,
} from "../../unlearn/memory/gradient_moments.ts";
import {
  disposeSettings,
  initialSettings,
  type LearnRecipe,
  learnStep,
} from "../../unlearn/memory/learn_step.ts";
import { memorise, rowLength } from "../../unlearn/memory/memorise.ts";
import type { MemoriseRecipe, MemoryContext } from "../../unlearn/memory/memory_context.ts";
import { preconditionAll } from "../../unlearn/memory/preconditioner.ts";
import { RowsInMemory } from "../../unlearn/memory/row_store.ts";
import { rowStep } from "../../unlearn/memory/row_step.ts";
import type { Person } from "../../unlearn/meta_unlearn/simulate_requests.ts";
import type { OnProgress } from "../progress.ts";
import type { Folds } from "./folds_file.ts";
import { type FoldRequests, foldRequests, scaleJudge } from "./judge_scale.ts";
import { keptMoments } from "./kept_moments.ts";
import { cutRows, type KeptRows, RowFolder, scaledRows } from "./kept_rows.ts";
import { RowFiles, type RowFilesOptions } from "./row_files.ts";
import { answersOf, heldOutFold, Logits, type ReferenceLogits } from "./reference_answers.ts";

/** How a kit's memory is made, besides the rank; all of it is recorded. */
export interface MemorySettings {
  /** Images whose gradients' moments the step is preconditioned by. */
  readonly momentImages: number;
  /** lambda and pi at the start. */
  readonly damping: number;
  readonly power: number;
  /** One person's first step as a share of the weights' norm. */
  readonly share: number;
  readonly memorise: MemoriseRecipe;
  /** Absent: lambda and pi stay as they start. */
  readonly learn?: LearnRecipe;
  /** Which tensors rows are kept of, or all choices, to choose among by simulated requests; absent: all. */
  readonly layers?: RowLayers | "chosen";
  /** Sizes of the simulated requests that rows are scaled by, in falling order. */
  readonly requestSizes: readonly number[];
  /** What people who stay may lose by simulated requests, a fraction of the metric. */
  readonly mostLost: number;
}

/** What is left of a run at one rank. */
export interface LearnedMemory {
  /** Rank of what is kept of each weight matrix; null for all. */
  readonly rank: number | null;
  /** Which tensors rows are of. */
  readonly layers: RowLayers;
  /** By the people's rows, at the scale that suits the largest simulated requests. */
  readonly rows: KeptRows;
  /** By size of the simulated requests, in rising order. */
  readonly scales: readonly ChosenScale[];
}

/** What was chosen for requests of a size. */
export interface ChosenScale {
  readonly people: number;
  readonly scale: ScaleTrial;
  readonly trials: readonly ScaleTrial[];
}

/** By what rows of the largest requests' scale are multiplied for others. */
export function requestScales(scales: readonly ChosenScale[]): RequestScale[] {
  const largest = scales.at(-1)!.scale.scale;
  return scales.map(({ people, scale }) => ({ people, factor: scale.scale / largest }));
}

/** The model, its images and the fold models' answers. */
export interface MemoryInputs {
  readonly theta: Weights;
  readonly config: ModelConfig;
  readonly microBatch: number;
  readonly source: ImageFeed;
  readonly people: readonly Person[];
  readonly val: readonly number[];
  readonly folds: Folds;
  readonly answers: ReferenceLogits;
  /** Images that every fold's model was asked about, by which a scale is judged. */
  readonly judged: { readonly retain: readonly number[]; readonly val: readonly number[] };
  /** Each person's row, whole, before it is scaled; absent: it is memorised by rounds. */
  readonly steps?: (row: number) => Promise<ReadonlyMap<string, Weight>>;
  /** A folder that rows are made in, for everybody's do not fit the memory; removed by who made the kit. */
  readonly rowsFolder: string;
  /** How rows lie there. */
  readonly rowFiles?: RowFilesOptions;
  /** JSON of all that rows depend on besides the settings and what computes. */
  readonly fingerprint: string;
  readonly onProgress?: OnProgress | undefined;
}

/**
 * Writes down what the model memorised of each person: moments of gradients, rows by rounds of
 * simulated requests, the learned settings, the rank, and a scale by the size of the request. The
 * scales are chosen on simulated requests of each fold's people, against the model that never saw
 * them, learned settings without those of one fold. Who will really ask plays no part.
 */
export async function learnMemory(
  inputs: MemoryInputs,
  settings: MemorySettings,
  ranks: readonly (number | null)[],
  random: Random,
): Promise<LearnedMemory[]> {
  const { theta, config, microBatch, source, people, val, onProgress } = inputs;
  const own = new Logits();
  const everything = [...people.flatMap(({ images }) => images), ...val];
  const said = await predict(theta, config, source, everything, microBatch);
  own.set(everything, said.logits);

  const features = centroids(said.features, config.dim, people);
  const shapes = new Map(Object.entries(theta).map(([name, { shape }]) => [name, shape]));
  const kept: RowFolder[] = [];
  for (const rank of ranks) {
    // Twice a row's halves.
    const bytes = 2 * people.length * rowBytes(shapes, rank, config.dim);
    kept.push(await RowFolder.make(inputs.rowsFolder, rank, bytes, inputs.rowFiles?.mostInMemory));
  }
  const keep = async (step: ReadonlyMap<string, Weight>, row: number) => {
    for (const [i, rank] of ranks.entries()) {
      await kept[i].add({ step: rowStep(step, rank), centroid: features[row] });
    }
    onProgress?.({ stage: "rows", done: row + 1, total: people.length, unit: "people" });
  };
  if (inputs.steps) { for (const { row } of people) await keep(await inputs.steps(row), row); }
  else await memoriseRows(inputs, settings, own, random, keep);
  return await scaleRows(inputs, settings, ranks, own, kept, random);
}

/** Everybody's steps by rounds of simulated requests. @param keep is given each person's, in order */
async function memoriseRows(
  inputs: MemoryInputs,
  settings: MemorySettings,
  own: Logits,
  random: Random,
  keep: (step: ReadonlyMap<string, Weight>, row: number) => Promise<void>,
): Promise<void> {
  const { theta, config, microBatch, source, people, val, folds, answers, onProgress } = inputs;
  const { task, labels: { length: labels } } = config;
  const everything = [...people.flatMap(({ images }) => images), ...val];
  const { memorise: recipe } = settings;
  const length = rowLength(theta, recipe);
  const fingerprint = JSON.stringify({
    settings: { ...settings, learn: null, layers: null, requestSizes: null, mostLost: null },
    ...{ microBatch, run: inputs.fingerprint },
  });
  // First: a folder of another run's is told of at once.
  const rows = await RowFiles.open(inputs.rowsFolder, people.length, length, fingerprint, {
    ...inputs.rowFiles,
  });
  const sample = random.fork("moments").shuffle(everything).slice(0, settings.momentImages);
  const residuals = sampledResiduals(task, own.of(sample), labels, random.fork("labels"));
  let done = 0;
  const backbone = { shape: config, microBatch };
  const moments = await keptMoments(
    inputs.rowsFolder,
    fingerprint,
    () =>
      gradientMoments(theta, backbone, source, sample, residuals, (count) => {
        done += count;
        const total = 2 * sample.length;
        onProgress?.({ stage: "gradients' moments", done, total, unit: "images" });
      }),
  );

  const context: MemoryContext = {
    ...{ theta, shape: config, microBatch, task, source, people, val, moments },
    reference: answersOf(answers.reference, config),
    original: answersOf(own, config),
  };
  const first = new RowsInMemory(rowLength(theta, ONCE));
  const probe = random.fork("probe").shuffle(people).slice(0, PROBE_PEOPLE);
  const none = await noSettings(context);
  await memorise(context, none, ONCE, random.fork("probe"), first, { groups: [probe] });
  disposeSettings(none);
  const start = await initialSettings(
    context,
    probe.map(({ row }) => first.read(row)),
    settings.share,
    settings.damping,
    settings.power,
  );

  const asked = recipe.rounds * people.length;
  done = rows.rounds * people.length;
  await memorise(context, start, recipe, random.fork("rounds"), rows, {
    from: rows.rounds,
    onPeople(count, round) {
      done += count;
      const note = `round ${round} of ${recipe.rounds}`;
      onProgress?.({ stage: "memorise", done, total: asked, unit: "people", note });
    },
  });

  const heldOut = new Set(
    people.filter(({ row }) => folds.sets[0][row] === heldOutFold(folds)).map(({ row }) => row),
  );
  const learned = settings.learn
    ? await learnStep(
      context,
      people.filter(({ row }) => !heldOut.has(row)),
      rows,
      start,
      settings.learn,
      random.fork("learn"),
    )
    : start;

  const precondition = new Recorded((gradients: Tensors) =>
    preconditionAll(gradients, moments, learned) as Tensors
  );
  for (const { row } of people) {
    const own = (await rows.read(row)).subarray(0, rowLength(theta, {}));
    const gradients = unflatten(own, theta);
    await keep(await downloadWeights(precondition.run(gradients)), row);
    disposeWeights(gradients);
  }
  precondition.dispose();
  disposeMoments(moments);
  if (learned !== start) disposeSettings(learned);
  disposeSettings(start);
  rows.close();
}

/** Scales rows by the size of the request. @param kept rows by rank and person */
async function scaleRows(
  { theta, config, microBatch, source, people, folds, answers, judged, onProgress }: MemoryInputs,
  settings: MemorySettings,
  ranks: readonly (number | null)[],
  own: Logits,
  kept: readonly KeptRows[],
  random: Random,
): Promise<LearnedMemory[]> {
  const result: LearnedMemory[] = [];
  const scaled = { theta, config, microBatch, source, original: own };
  const sizes = settings.requestSizes.map((size) =>
    foldRequests(folds, people, answers, judged, size, random.fork(`requests of ${size}`))
  );
  const shapes = new Map(Object.entries(theta).map(([name, { shape }]) => [name, shape]));
  const { layers: wanted = "all", mostLost } = settings;
  for (const [i, rank] of ranks.entries()) {
    const scaleOf = async (
      rows: KeptRows,
      layers: RowLayers,
      requests: readonly FoldRequests[],
      like?: ChosenScale,
    ) => {
      const size = sizeOf(requests);
      const judge = await scaleJudge(scaled, rows, requests);
      const { best: scale, trials } = await chooseScale(
        async (scale) => {
          const found = await judge(scale);
          const note = `rank ${rank ?? "full"}${layers === "all" ? "" : `, ${layers}`}, ` +
            `${size} people, ${scale.toFixed(3)}: ToW ${(100 * found.tugOfWar).toFixed(1)}`;
          onProgress?.({ stage: "scale", done: i, total: ranks.length, unit: "ranks", note });
          return found;
        },
        mostLost,
        like?.scale.scale,
      );
      return { people: size, scale, trials };
    };
    // The layers are those that do best for the largest requests.
    const tried: { layers: RowLayers; rows: KeptRows; first: ChosenScale }[] = [];
    const largest = sizes.reduce((a, b) => sizeOf(b) > sizeOf(a) ? b : a);
    for (const layers of wanted === "chosen" ? ROW_LAYERS : [wanted]) {
      const rows = layers === "all" ? kept[i] : cutRows(kept[i], layerShapes(shapes, layers));
      const like = tried.at(-1)?.first ?? result.at(-1)?.scales.at(-1);
      tried.push({ layers, rows, first: await scaleOf(rows, layers, largest, like) });
    }
    const { layers, rows, first } = tried.reduce((a, b) =>
      b.first.scale.tugOfWar > a.first.scale.tugOfWar ? b : a
    );
    const scales = [first];
    for (const requests of sizes) {
      if (scales.some(({ people }) => people === sizeOf(requests))) continue;
      const before = result.at(-1)?.scales.find(({ people }) => people === sizeOf(requests));
      scales.push(await scaleOf(rows, layers, requests, before ?? scales.at(-1)));
    }
    scales.sort((a, b) => a.people - b.people);
    result.push({ rank, layers, rows: scaledRows(rows, scales.at(-1)!.scale.scale), scales });
  }
  return result;
}

/** People of the largest of some requests of one size. */
function sizeOf(requests: readonly FoldRequests[]): number {
  return Math.max(...requests.map(({ groups }) => groups[0].length));
}

/** People whose plain gradients the size of the first step is set by. */
const PROBE_PEOPLE = 24;
/** One round without what others lose: plain gradients at theta. */
const ONCE: MemoriseRecipe = {
  rounds: 1,
  groupSizes: [1],
  retainWeight: 0,
  valWeight: 0,
  retainImages: 1,
  lastStep: 1,
};

/** Settings under which rows that are zero move nothing. */
async function noSettings(context: MemoryContext) {
  const none = new Float32Array(
    Object.values(context.theta).reduce((sum, { size }) => sum + size, 0),
  );
  return await initialSettings(context, [none], 0, 1, 0);
}

/** Mean features by person. @param features of the people's images, one person after another */
function centroids(features: Float32Array, dim: number, people: readonly Person[]): Float32Array[] {
  let at = 0;
  return people.map(({ images }) => {
    const mean = new Float32Array(dim);
    for (const _ of images) {
      for (let k = 0; k < dim; k++) mean[k] += features[at + k] / images.length;
      at += dim;
    }
    return mean;
  });
}
