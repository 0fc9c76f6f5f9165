import * as tf from "@tensorflow/tfjs";
import type { ImageSource } from "../../data/loader/image_source.ts";
import { predict } from "../../model/predict.ts";
import type { Random } from "../../random.ts";
import { disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";
import type { HeldOut, MetaParameters } from "./meta_learn.ts";
import { disposeSupport, supportOf } from "./meta_learn.ts";
import type { MetaObjective } from "./meta_objective.ts";
import { type Person, type SimulatedRequest, simulateRequests } from "./simulate_requests.ts";
import { disposeStep, unlearningStep } from "./algorithm1_unlearning_step.ts";

/** Groups of unseen people whose mean metric stands for "never seen". */
const REFERENCE_GROUPS = 16;

/** What {@link heldOutRequests} judges by. */
export interface HeldOutPeople {
  /** Training people kept out of meta-training. */
  readonly people: readonly Person[];
  /** Images of people that stay: a sample of the meta-trained ones. */
  readonly retain: readonly number[];
  /** Validation people, unseen by theta. */
  readonly unseen: readonly Person[];
  /** N_S. */
  readonly requestSize: number;
  /** Where support images come from, the same at each call; default the objective's own source. */
  readonly supportSource?: () => ImageSource;
}

/**
 * Splits people into those to meta-train on and those to judge by.
 *
 * @param share of the people to hold out, in [0, 1)
 */
export function holdOut(
  people: readonly Person[],
  share: number,
  random: Random,
): { trained: Person[]; heldOut: Person[] } {
  const order = random.shuffle(people);
  const count = Math.round(share * people.length);
  const byRow = (a: Person, b: Person) => a.row - b.row;
  return { trained: order.slice(count).sort(byRow), heldOut: order.slice(0, count).sort(byRow) };
}

/** What a judge measures with. */
export type JudgeContext = Pick<MetaObjective, "shape" | "source" | "microBatch" | "measure">;

/** Judges a way to unlearn by what it makes of simulated requests; it disposes the models it is given. */
export type RequestJudge = (
  unlearn: (request: SimulatedRequest) => Promise<Weights>,
) => Promise<HeldOut>;

/**
 * A judge of ways to unlearn by simulated requests of training people.
 *
 * Nobody has retrained a model without them, so the Tug-of-War (Eq. 7) is estimated with what the
 * original model says of people it never saw: the forgotten people, each after their own request,
 * should score as equally many unseen people do, the others as before. The real forget set and the
 * test people play no part.
 */
export async function requestJudge(
  theta: Weights,
  { shape, source, microBatch, measure }: JudgeContext,
  { people, retain, unseen, requestSize }: Omit<HeldOutPeople, "supportSource">,
  random: Random,
): Promise<RequestJudge> {
  const size = Math.min(requestSize, people.length);
  const requests: SimulatedRequest[] = simulateRequests(people, size, random.fork("requests"));
  const val = unseen.flatMap(({ images }) => images);
  const logitsOf = async (weights: Weights, indices: readonly number[]) =>
    (await predict(weights, shape, source, indices, microBatch)).logits;
  const metricOf = async (weights: Weights, indices: readonly number[]) =>
    measure(await logitsOf(weights, indices), indices).metric;

  const before = { retain: await metricOf(theta, retain), val: await metricOf(theta, val) };
  const groups = random.fork("groups");
  let reference = 0;
  for (let i = 0; i < REFERENCE_GROUPS; i++) {
    // mAP depends on how many images it is taken of: compare with as many unseen people.
    const group = groups.shuffle(unseen).slice(0, people.length);
    reference += await metricOf(theta, group.flatMap(({ images }) => images)) / REFERENCE_GROUPS;
  }

  return async (unlearn) => {
    const forgotten: number[] = [];
    const rows: Float32Array[] = [];
    const after = { retain: 0, val: 0 };
    for (const request of requests) {
      const model = await unlearn(request);
      forgotten.push(...request.forget);
      rows.push(await logitsOf(model, request.forget));
      after.retain += await metricOf(model, retain) / requests.length;
      after.val += await metricOf(model, val) / requests.length;
      disposeWeights(model);
    }
    const logits = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0));
    rows.reduce((at, row) => (logits.set(row, at), at + row.length), 0);
    const forget = measure(logits, forgotten).metric;
    const tugOfWar = (1 - Math.abs(forget - reference)) *
      (1 - Math.abs(after.retain - before.retain)) * (1 - Math.abs(after.val - before.val));
    return { tugOfWar, forget, ...after };
  };
}

/** {@link requestJudge} for {@link metaLearn}: judges phi and step sizes on people held out of it. */
export async function heldOutRequests(
  theta: Weights,
  objective: MetaObjective,
  people: HeldOutPeople,
  random: Random,
): Promise<(parameters: MetaParameters) => Promise<HeldOut>> {
  const judge = await requestJudge(theta, objective, people, random);
  return ({ phi, logStepSizes }) => {
    const source = people.supportSource?.() ?? objective.source;
    return judge(async (request) => {
      const support = supportOf({ source }, request);
      const step = await unlearningStep(theta, phi, support, objective, logStepSizes);
      disposeSupport(support);
      const model = mapWeights(step.theta, tf.clone);
      disposeStep(step);
      return model;
    });
  };
}
