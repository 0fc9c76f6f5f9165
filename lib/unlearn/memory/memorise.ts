import type { ImageFeed } from "../../data/loader/image_source.ts";
import { Cycle } from "../../data/batches.ts";
import type { Task } from "../../data/sample.ts";
import type { Random } from "../../random.ts";
import { addScaled, disposeWeights, type Weights } from "../../tensor/weights.ts";
import type { Backbone } from "../logit_gradient.ts";
import type { Person } from "../meta_unlearn/simulate_requests.ts";
import { type Answers, divergence, divergenceGradient } from "./divergence.ts";
import { addTo, flatten, sumOf, unflatten } from "./flat.ts";
import type { GradientMoments } from "./gradient_moments.ts";
import { preconditionAll, type StepSettings } from "./preconditioner.ts";

/** The model, its images and what others say of them, while the data exist. */
export interface MemoryContext extends Backbone {
  readonly theta: Weights;
  readonly task: Task;
  readonly source: ImageFeed;
  /** Everybody that the model was trained on; `row` is the position in this list. */
  readonly people: readonly Person[];
  /** Images of people that the model was not trained on. */
  readonly val: readonly number[];
  /** What models say that never saw the person on the image. */
  readonly reference: Answers;
  /** What the model itself says, before any step. */
  readonly original: Answers;
  readonly moments: GradientMoments;
}

/** How rows are made. */
export interface MemoriseRecipe {
  /** How often everybody is dealt into groups. */
  readonly rounds: number;
  /** People per group: the first round's, the second's, and so on, over and over. */
  readonly groupSizes: readonly number[];
  /** Weight of what other training people lose, and of what validation people do. */
  readonly retainWeight: number;
  readonly valWeight: number;
  /** Images of others that each group is held by; half as many of validation people. */
  readonly retainImages: number;
  /** Share of the first round's step that the last round's is. */
  readonly lastStep: number;
  /** Of the round before, how much each person's row goes on by (heavy ball); absent: nothing. */
  readonly momentum?: number;
  /**
   * Steps as a share of the one that does best for the round's first group, searched anew in every round:
   * what is stable for 20 people together is slow for five. Absent: steps of 1 that fall to `lastStep`.
   */
  readonly search?: number;
}

/**
 * What the model memorised of each person, as sums of gradients, which the preconditioner turns into steps.
 *
 * In each round everybody is dealt into groups, requests that never were. A group G is forgotten with the
 * rows as they are, theta_u = theta - P sum_(q in G) Q_q, and each of its people's rows gains the gradient
 * there of KL(reference || f) on the person's own images and of what others lose,
 *
 *     Q_p += a_t (grad KL_p + w_r grad KL_retain + w_v grad KL_val),
 *
 * so that the sum over G moves along |G| times the gradient of the whole request's objective, and each
 * person carries an equal share of what protects the others. One round without the latter is the trial's
 * plain row, the gradient at theta; further rounds see the model as it is by then.
 *
 * @param rows rows to go on from, changed in place; those of a run that begins are zero
 * @param from rounds that are done; `groups`: the same groups in every round, in place of dealing
 * @param onPeople called with the people of each group
 * @param onStep called with each step that was searched
 * @param onRound called after each round
 */
export async function memorise(
  context: MemoryContext,
  settings: StepSettings,
  recipe: MemoriseRecipe,
  random: Random,
  rows: readonly Float32Array[],
  { from = 0, groups, onPeople, onStep, onRound }: {
    readonly from?: number;
    readonly groups?: readonly (readonly Person[])[];
    readonly onPeople?: (people: number, round: number) => void;
    readonly onStep?: (step: number, groupSize: number) => void;
    readonly onRound?: (round: number) => Promise<void>;
  } = {},
): Promise<void> {
  const { people } = context;
  const steps = new Map<number, number>();
  const { momentum = 0 } = recipe;
  const velocity = momentum === 0 ? rows : rows.map(({ length }) => new Float32Array(length));
  for (let round = from; round < recipe.rounds; round++) {
    const own = random.fork(`round ${round}`);
    const size = recipe.groupSizes[round % recipe.groupSizes.length];
    const done = recipe.rounds === 1 ? 0 : round / recipe.rounds;
    const share = 1 - (1 - recipe.lastStep) * done;
    let step: number | undefined = recipe.search === undefined ? share : undefined;
    for (const [i, group] of (groups ?? deal(people, size, own)).entries()) {
      const found = await groupGradients(
        context,
        settings,
        recipe,
        own.fork(`group ${i}`),
        rows,
        group,
      );
      if (step === undefined) {
        const best = await searchStep(found.objective, steps.get(size) ?? FIRST_TRIAL);
        onStep?.(best, size);
        steps.set(size, best || (steps.get(size) ?? FIRST_TRIAL) / 4);
        step = recipe.search! * best;
      }
      group.forEach(({ row }, k) => {
        if (momentum > 0) velocity[row].forEach((v, i) => velocity[row][i] = momentum * v);
        addTo(velocity[row], found.own[k], step!);
        addTo(velocity[row], found.held, step!);
        if (momentum > 0) addTo(rows[row], velocity[row], 1);
      });
      onPeople?.(group.length, round + 1);
    }
    await onRound?.(round + 1);
  }
}

/** People in groups of a size; a rest of less than half joins the group before it. */
function deal(people: readonly Person[], size: number, random: Random): Person[][] {
  const order = random.shuffle(people);
  const groups: Person[][] = [];
  for (let i = 0; i < order.length; i += size) groups.push(order.slice(i, i + size));
  const last = groups.at(-1)!;
  if (groups.length > 1 && last.length < size / 2) {
    groups.splice(-2, 2, [...groups.at(-2)!, ...last]);
  }
  return groups;
}

/** A group's gradients at its own theta_u. */
interface GroupGradients {
  readonly group: readonly Person[];
  /** grad KL_p by person of the group. */
  readonly own: readonly Float32Array[];
  /** What protects the others, w_r grad KL_retain + w_v grad KL_val. */
  readonly held: Float32Array;
  /** The whole request's objective at theta - P (rows + alpha gradients), up to a constant. */
  readonly objective: (alpha: number) => Promise<number>;
}

async function groupGradients(
  context: MemoryContext,
  settings: StepSettings,
  { retainWeight, valWeight, retainImages }: MemoriseRecipe,
  random: Random,
  rows: readonly Float32Array[],
  group: readonly Person[],
): Promise<GroupGradients> {
  const { theta, task, source, people, val, reference, original, ...backbone } = context;
  const asked = group.map(({ row }) => rows[row]);
  const moved = forgetRows(theta, asked, context.moments, settings);
  const chosen = new Set(group.map(({ row }) => row));
  const others = people.flatMap(({ row, images }) => chosen.has(row) ? [] : images);
  const parts = ([
    [retainWeight, others, retainImages],
    [valWeight, val, Math.ceil(retainImages / 2)],
  ] as const)
    .filter(([weight, images]) => weight > 0 && images.length > 0)
    .map(([weight, images, count]) => ({
      weight,
      images: new Cycle(images, random).take(Math.min(count, images.length)),
    }));
  const held = new Float32Array(rows[0].length);
  for (const { weight, images } of parts) {
    const { gradients } = await divergenceGradient(moved, backbone, task, source, images, original);
    addTo(held, await flatten(gradients), weight);
    disposeWeights(gradients);
  }
  const own: Float32Array[] = [];
  for (const { images } of group) {
    const { gradients } = await divergenceGradient(
      moved,
      backbone,
      task,
      source,
      images,
      reference,
    );
    own.push(await flatten(gradients));
    disposeWeights(gradients);
  }
  disposeWeights(moved);
  const objective = async (alpha: number) => {
    const sum = sumOf([
      ...asked,
      ...own.map((gradient) => gradient.map((x, i) => alpha * (x + held[i]))),
    ]);
    const trial = forgetRows(theta, [sum], context.moments, settings);
    let value = 0;
    for (const { images } of group) {
      value += await divergence(trial, backbone, task, source, images, reference);
    }
    for (const { weight, images } of parts) {
      const lost = await divergence(trial, backbone, task, source, images, original);
      value += group.length * weight * lost;
    }
    disposeWeights(trial);
    return value;
  };
  return { group, own, held, objective };
}

/** Steps that a search begins with, and by what it changes them. */
const FIRST_TRIAL = 1;
const TRIALS = 8;

/**
 * The step along a group's gradients at which the parabola through three trials of its objective is least:
 * halved until a step helps, doubled until one helps no more.
 */
async function searchStep(
  objective: (alpha: number) => Promise<number>,
  first: number,
): Promise<number> {
  const zero = await objective(0);
  let [alpha, value] = [first, await objective(first)];
  const factor = value < zero ? 2 : 0.5;
  for (let trial = 0; trial < TRIALS; trial++) {
    const next = alpha * factor;
    const found = await objective(next);
    if (factor === 2 && found >= value) break;
    const helps = factor === 0.5 && found < zero;
    [alpha, value] = [next, found];
    if (helps) break;
  }
  return value < zero ? alpha : 0;
}

/**
 * theta - P sum_p Q_p; the caller disposes it.
 *
 * @param rows sums of gradients, at least one
 */
export function forgetRows(
  theta: Weights,
  rows: readonly Float32Array[],
  moments: GradientMoments,
  settings: StepSettings,
): Weights {
  const sum = unflatten(sumOf(rows), theta);
  const step = preconditionAll(sum, moments, settings);
  const moved = addScaled(theta, step, -1);
  for (const weights of [sum, step]) disposeWeights(weights);
  return moved;
}
