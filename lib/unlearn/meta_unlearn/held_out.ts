import type { ImageFeed } from "../../data/loader/image_source.ts";
import { predict, Predictor } from "../../model/predict.ts";
import type { Random } from "../../random.ts";
import { disposeWeights, type Weights } from "../../tensor/weights.ts";
import {
  intervalOf,
  joined,
  type Judged,
  pick,
  type Populations,
  UNSEEN_IMAGES,
} from "./judged_images.ts";
import type { HeldOut, MetaParameters } from "./meta_learn.ts";
import { disposeSupport, supportOf } from "./support.ts";
import type { MetaObjective } from "./meta_objective.ts";
import { type Person, type SimulatedRequest, simulateRequests } from "./simulate_requests.ts";
import { UnlearningSteps } from "./unlearning_steps.ts";

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
  /** Images of unseen people that each request is judged on; default {@link UNSEEN_IMAGES}. */
  readonly unseenImages?: number;
  /** Where support images come from, the same at each call; default the objective's own source. */
  readonly supportSource?: () => ImageFeed;
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
 *
 * Every request takes a pass over `retain` and over a sample of the unseen people's images, the same at
 * each call, so that a judgement's time does not grow with people times images.
 *
 * @param onPeople called with the people of each request that was judged
 */
export async function requestJudge(
  theta: Weights,
  { shape, source, microBatch, measure }: JudgeContext,
  { people, retain, unseen, requestSize, unseenImages = UNSEEN_IMAGES }: Omit<
    HeldOutPeople,
    "supportSource"
  >,
  random: Random,
  onPeople?: (people: number) => void,
): Promise<RequestJudge> {
  const size = Math.min(requestSize, people.length);
  const requests: SimulatedRequest[] = simulateRequests(people, size, random.fork("requests"));
  const everyUnseen = unseen.flatMap(({ images }) => images);
  const val = everyUnseen.length <= unseenImages ? everyUnseen : random.fork("unseen images")
    .shuffle(everyUnseen).slice(0, unseenImages).sort((a, b) => a - b);
  /** What a model says of several lists of images, each by itself, from one pass over all. */
  const judged = async (
    weights: Weights,
    lists: readonly (readonly number[])[],
    predictor?: Predictor,
  ): Promise<Judged[]> => {
    const all = lists.flat();
    const { logits } = await predict(
      weights,
      shape,
      source,
      all,
      microBatch,
      undefined,
      "logits",
      predictor,
    );
    const width = logits.length / all.length;
    let at = 0;
    return lists.map((indices) => ({
      indices,
      logits: logits.slice(at * width, (at += indices.length) * width),
    }));
  };
  // The jackknife asks for a population's metric again wherever it leaves out people of another.
  const metrics = new WeakMap<Judged, number>();
  const metricOf = (judged: Judged) => {
    const metric = metrics.get(judged) ?? measure(judged.logits, judged.indices).metric;
    metrics.set(judged, metric);
    return metric;
  };

  const groups = random.fork("groups");
  // mAP depends on how many images it is taken of: compare with as many unseen people.
  const references = Array.from(
    { length: REFERENCE_GROUPS },
    () => groups.shuffle(unseen).slice(0, people.length).flatMap(({ images }) => images),
  );
  // People are drawn into several groups: each of their images is predicted once.
  const [retainBefore, valBefore, drawn] = await judged(theta, [
    retain,
    val,
    [...new Set(references.flat())],
  ]);
  const place = new Map(drawn.indices.map((index, i) => [index, i]));
  const reference = references.reduce(
    (sum, images) => sum + metricOf(pick(drawn, images.map((i) => place.get(i)!))),
    0,
  ) / REFERENCE_GROUPS;

  const estimate = (populations: Populations): HeldOut => {
    const mean = (of: readonly Judged[]) =>
      of.reduce((sum, each) => sum + metricOf(each) / of.length, 0);
    const [[retainFirst, ...retainAfter], [valFirst, ...valAfter]] = [
      populations.retain,
      populations.val,
    ];
    const forget = metricOf(populations.forget[0]);
    const after = { retain: mean(retainAfter), val: mean(valAfter) };
    const tugOfWar = (1 - Math.abs(forget - reference)) *
      (1 - Math.abs(after.retain - metricOf(retainFirst))) *
      (1 - Math.abs(after.val - metricOf(valFirst)));
    return { tugOfWar, forget, ...after };
  };
  const owners = {
    forget: ownersOf(people),
    val: ownersOf(unseen),
    // A few images out of many people's: each stands for itself.
    retain: new Map(retain.map((image) => [image, image])),
  };

  return async (unlearn) => {
    const asked: Judged[] = [];
    const after = { retain: [retainBefore], val: [valBefore] };
    const predictor = new Predictor(shape);
    for (const request of requests) {
      const model = await unlearn(request);
      const said = await judged(model, [request.forget, retain, val], predictor);
      asked.push(said[0]);
      after.retain.push(said[1]);
      after.val.push(said[2]);
      disposeWeights(model);
      onPeople?.(request.rows.length);
    }
    predictor.dispose();
    const populations = { forget: [joined(asked)], ...after };
    const whole = estimate(populations);
    const interval = intervalOf(populations, owners, whole.tugOfWar, estimate);
    return interval ? { ...whole, interval } : whole;
  };
}

/** Owners of images by index, as far as they are told apart. */
function ownersOf(people: readonly Person[]): Map<number, number> {
  return new Map(
    people.flatMap(({ images }, person) => images.map((image) => [image, person] as const)),
  );
}

/** {@link requestJudge} for {@link metaLearn}: judges phi and step sizes on people held out of it. */
export async function heldOutRequests(
  theta: Weights,
  objective: MetaObjective,
  people: HeldOutPeople,
  random: Random,
  onPeople?: (people: number) => void,
): Promise<(parameters: MetaParameters) => Promise<HeldOut>> {
  const judge = await requestJudge(theta, objective, people, random, onPeople);
  return async ({ phi, logStepSizes }) => {
    const source = people.supportSource?.() ?? objective.source;
    const steps = new UnlearningSteps(phi, objective, logStepSizes);
    try {
      return await judge(async (request) => {
        const support = await supportOf({ source }, request);
        const step = await steps.take(theta, support);
        disposeSupport(support);
        return step.theta;
      });
    } finally {
      steps.dispose();
    }
  };
}
