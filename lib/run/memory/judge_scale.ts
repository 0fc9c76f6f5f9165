import { type ImageFeed, range } from "../../data/loader/image_source.ts";
import { taskMetric } from "../../measure/evaluation.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { MemoryRow } from "../../model/kit/memory_row.ts";
import { type OnPredicted, Predictor } from "../../model/predict.ts";
import { activeWebgpu } from "../../tensor/recording/owned_tensor.ts";
import type { Weights } from "../../tensor/weights.ts";
import type { Judged } from "../../unlearn/memory/choose_scale.ts";
import { Moved } from "../../unlearn/memory/moved.ts";
import { takenByRows } from "../../unlearn/memory/row_step.ts";
import type { Person } from "../../unlearn/meta_unlearn/simulate_requests.ts";
import type { Random } from "../../random.ts";
import type { Folds } from "./folds_file.ts";
import type { KeptRows } from "./kept_rows.ts";
import type { Logits, ReferenceLogits } from "./reference_answers.ts";

/** Simulated requests of one fold's people. */
export interface FoldRequests {
  /** The people of each request. */
  readonly groups: readonly (readonly Person[])[];
  /** People of the fold. */
  readonly people: number;
  /** Images of people outside the fold, and of validation people, that they are judged on. */
  readonly retain: readonly number[];
  readonly val: readonly number[];
  /** What the fold's own model says, of the fold's people and of `retain` and `val`. */
  readonly without: Logits;
}

/** The model and what it says. */
export interface ScaleContext {
  readonly theta: Weights;
  readonly config: ModelConfig;
  readonly microBatch: number;
  readonly source: ImageFeed;
  readonly original: Logits;
}

/** Judges scales of rows, and frees what it was made of when no more are asked for. */
export interface ScaleJudge {
  judge(scale: number): Promise<Judged>;
  dispose(): void;
}

/** Images of others, and of validation people, that a fold's requests of one size are judged on together. */
export const JUDGED = 384;
/** Requests of one size per fold. */
const REQUESTS = 3;

/**
 * Requests of a size, or of all of a fold's people where these are fewer, from each fold of the first
 * partition.
 *
 * @param judged images that every fold's model was asked about
 */
export function foldRequests(
  { count, sets: [foldOf] }: Folds,
  people: readonly Person[],
  { folds }: ReferenceLogits,
  judged: { readonly retain: readonly number[]; readonly val: readonly number[] },
  size: number,
  random: Random,
): FoldRequests[] {
  return range(count).map((fold) => {
    const own = random.fork(`fold ${fold}`).shuffle(
      people.filter(({ row }) => foldOf[row] === fold),
    );
    const requests = Math.max(1, Math.min(REQUESTS, Math.floor(own.length / size)));
    const images = new Set(own.flatMap(({ images }) => images));
    const some = (all: readonly number[]) => all.slice(0, Math.ceil(JUDGED / requests));
    return {
      groups: range(requests).map((i) => own.slice(i * size, (i + 1) * size)),
      people: own.length,
      retain: some(judged.retain.filter((image) => !images.has(image))),
      val: some(judged.val),
      without: folds[fold],
    };
  });
}

/**
 * Judges a scale of rows by simulated requests. The forgotten should score as the model of their fold has
 * them, which never saw them. A model without few people scores nearly as before on all others: of the way
 * from the model to the fold's, the share that the request is of its fold.
 *
 * @param rows everybody's; of each request their sum is kept, since theta_u is linear in the scale
 * @returns the mean over folds; the forgotten images of a fold's requests are measured together, each as
 *   the model after its own request has it. The caller disposes it
 */
export async function scaleJudge(
  { theta, config, microBatch, source, original }: ScaleContext,
  rows: KeptRows,
  folds: readonly FoldRequests[],
): Promise<ScaleJudge> {
  const { task, labels: { length: labels } } = config;
  const metric = (logits: Float32Array, images: readonly number[]) =>
    taskMetric(task, logits, source.targets(images), labels);
  const due = folds.map(({ groups, people, retain, val, without }) => {
    const share = Math.min(1, groups[0].length / people);
    const toward = (images: readonly number[]) => {
      const before = metric(original.of(images), images);
      return { before, aim: before + share * (metric(without.of(images), images) - before) };
    };
    const asked = groups.flat().flatMap(({ images }) => images);
    return { forget: metric(without.of(asked), asked), retain: toward(retain), val: toward(val) };
  });
  const sums = new Map<readonly Person[], Float32Array>();
  for (const group of folds.flatMap(({ groups }) => groups)) {
    const own: MemoryRow[] = [];
    for (const { row } of group) own.push(await rows.read(row));
    sums.set(group, await takenByRows(theta, own));
  }
  const [predictor, moved] = [new Predictor(config), new Moved(theta)];
  const judge = async (scale: number): Promise<Judged> => {
    const said = new Map<readonly Person[], Float32Array>();
    for (const { groups, retain, val } of folds) {
      for (const group of groups) {
        const after = moved.by(sums.get(group)!, scale);
        const all = [...group.flatMap(({ images }) => images), ...retain, ...val];
        const logits = new Float32Array(all.length * labels);
        // Batches of one size are replayed from one recording.
        while (activeWebgpu() && all.length % microBatch !== 0) all.push(all[0]);
        const keep: OnPredicted = (first, _, rows) => {
          const at = first * labels;
          logits.set(rows.subarray(0, logits.length - at), at);
        };
        await predictor.queue(after, source, all, microBatch, keep, "logits");
        said.set(group, logits);
      }
    }
    await predictor.settle();
    let [tugOfWar, lost] = [0, 0];
    for (const [i, { groups, retain, val }] of folds.entries()) {
      const found = { forget: [] as Float32Array[], retain: 0, val: 0 };
      for (const group of groups) {
        const logits = said.get(group)!;
        const asked = group.reduce((sum, { images }) => sum + images.length, 0);
        const [a, b] = [asked * labels, (asked + retain.length) * labels];
        found.forget.push(logits.slice(0, a));
        found.retain += metric(logits.slice(a, b), retain) / groups.length;
        found.val += metric(logits.slice(b), val) / groups.length;
      }
      const asked = groups.flat().flatMap(({ images }) => images);
      const forget = metric(joined(found.forget), asked);
      const product = (1 - Math.abs(forget - due[i].forget)) *
        (1 - Math.abs(found.retain - due[i].retain.aim)) *
        (1 - Math.abs(found.val - due[i].val.aim));
      tugOfWar += product / folds.length;
      lost += (due[i].retain.before - found.retain) / folds.length;
    }
    return { tugOfWar, lost };
  };
  return {
    judge,
    dispose() {
      predictor.dispose();
      moved.dispose();
    },
  };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return all;
}
