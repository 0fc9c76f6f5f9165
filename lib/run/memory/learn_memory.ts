import { type ImageFeed, range } from "../../data/loader/image_source.ts";
import { taskMetric } from "../../measure/evaluation.ts";
import type { ModelConfig } from "../../model/config.ts";
import { downloadWeights } from "../../model/device_weights.ts";
import type { MemoryRow } from "../../model/kit/memory_row.ts";
import { predict } from "../../model/predict.ts";
import type { Random } from "../../random.ts";
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
import {
  memorise,
  type MemoriseRecipe,
  type MemoryContext,
} from "../../unlearn/memory/memorise.ts";
import { preconditionAll } from "../../unlearn/memory/preconditioner.ts";
import { rowStep, scaledRow, subtractRows } from "../../unlearn/memory/row_step.ts";
import type { Person } from "../../unlearn/meta_unlearn/simulate_requests.ts";
import type { OnProgress } from "../progress.ts";
import type { Folds } from "./fold_models.ts";
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
}

/** What is left of a run at one rank. */
export interface LearnedMemory {
  /** Rank of what is kept of each weight matrix; null for all. */
  readonly rank: number | null;
  /** By the people's rows. */
  readonly rows: readonly MemoryRow[];
  readonly scale: ScaleTrial;
  readonly trials: readonly ScaleTrial[];
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
  /** Images of people outside the held-out fold, and validation images, that a scale is judged on. */
  readonly judged: { readonly retain: readonly number[]; readonly val: readonly number[] };
  readonly onProgress?: OnProgress | undefined;
}

/**
 * Writes down what the model memorised of each person: moments of gradients, rows by rounds of simulated
 * requests, the learned settings, the rank, and one scale for all rows. Settings and scale are chosen on the
 * people of one fold, against the model that never saw them; their own requests are simulated for nothing
 * else. Who will really ask plays no part.
 */
export async function learnMemory(
  inputs: MemoryInputs,
  settings: MemorySettings,
  ranks: readonly (number | null)[],
  random: Random,
): Promise<LearnedMemory[]> {
  const { theta, config, microBatch, source, people, val, folds, answers, onProgress } = inputs;
  const { task, labels: { length: labels } } = config;
  const own = new Logits();
  const everything = [...people.flatMap(({ images }) => images), ...val];
  const said = await predict(theta, config, source, everything, microBatch);
  own.set(everything, said.logits);

  const sample = random.fork("moments").shuffle(everything).slice(0, settings.momentImages);
  const residuals = sampledResiduals(task, own.of(sample), labels, random.fork("labels"));
  let done = 0;
  const backbone = { shape: config, microBatch };
  const moments = await gradientMoments(theta, backbone, source, sample, residuals, (count) => {
    done += count;
    onProgress?.({ stage: "gradients' moments", done, total: 2 * sample.length, unit: "images" });
  });

  const context: MemoryContext = {
    ...{ theta, shape: config, microBatch, task, source, people, val, moments },
    reference: answersOf(answers.reference, config),
    original: answersOf(own, config),
  };
  const size = Object.values(theta).reduce((sum, { size }) => sum + size, 0);
  const empty = () => people.map(() => new Float32Array(size));
  const first = empty();
  const probe = random.fork("probe").shuffle(people).slice(0, PROBE_PEOPLE);
  const none = await noSettings(context);
  await memorise(context, none, ONCE, random.fork("probe"), first, { groups: [probe] });
  disposeSettings(none);
  const start = await initialSettings(
    context,
    probe.map(({ row }) => first[row]),
    settings.share,
    settings.damping,
    settings.power,
  );

  const rows = empty();
  const asked = settings.memorise.rounds * people.length;
  done = 0;
  await memorise(context, start, settings.memorise, random.fork("rounds"), rows, {
    onStep(step, size) {
      const note = `steps of ${step} for ${size} people`;
      onProgress?.({ stage: "memorise", done, total: asked, unit: "people", note });
    },
    onPeople(count, round) {
      done += count;
      const note = `round ${round} of ${settings.memorise.rounds}`;
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

  const features = centroids(said.features, config.dim, people);
  const kept = ranks.map((): MemoryRow[] => []);
  for (const { row } of people) {
    const gradients = unflatten(rows[row], theta);
    const step = preconditionAll(gradients, moments, learned);
    const host = await downloadWeights(step);
    ranks.forEach((rank, i) =>
      kept[i].push({ step: rowStep(host, rank), centroid: features[row] })
    );
    for (const weights of [gradients, step]) disposeWeights(weights);
    onProgress?.({ stage: "rows", done: kept[0].length, total: people.length, unit: "people" });
  }
  disposeMoments(moments);
  if (learned !== start) disposeSettings(learned);
  disposeSettings(start);

  const result: LearnedMemory[] = [];
  for (const [i, rank] of ranks.entries()) {
    const judge = scaleJudge(inputs, heldOut, kept[i]);
    const { best, trials } = await chooseScale(async (scale) => {
      const tugOfWar = await judge(scale);
      onProgress?.({
        ...{ stage: "scale", done: i, total: ranks.length, unit: "ranks" },
        note: `rank ${rank ?? "full"}, ${scale.toFixed(3)}: ToW ${(100 * tugOfWar).toFixed(1)}`,
      });
      return tugOfWar;
    });
    const scaled = kept[i].map((row) => scaledRow(row, best.scale));
    result.push({ rank, rows: scaled, scale: best, trials });
  }
  return result;
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

/** Tug-of-War of forgetting the held-out fold's people with rows at a scale, against the fold's own model. */
function scaleJudge(
  { theta, config, microBatch, source, people, answers, judged }: MemoryInputs,
  heldOut: ReadonlySet<number>,
  rows: readonly MemoryRow[],
): (scale: number) => Promise<number> {
  const { task, labels: { length: labels } } = config;
  const asked = people.filter(({ row }) => heldOut.has(row));
  const parts = [asked.flatMap(({ images }) => images), judged.retain, judged.val];
  const metric = (logits: Float32Array, images: readonly number[]) =>
    taskMetric(task, logits, source.targets(images), labels);
  const due = parts.map((images) => metric(answers.heldOut.of(images), images));
  const places = range(parts.length);
  return async (scale) => {
    const moved = subtractRows(theta, asked.map(({ row }) => scaledRow(rows[row], scale)));
    let tugOfWar = 1;
    for (const place of places) {
      const images = parts[place];
      const { logits } = await predict(moved, config, source, images, microBatch);
      tugOfWar *= 1 - Math.abs(metric(logits, images) - due[place]);
    }
    disposeWeights(moved);
    return tugOfWar;
  };
}
