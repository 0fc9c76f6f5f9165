import { Cycle } from "../../data/batches.ts";
import type { ImageFeed } from "../../data/loader/image_source.ts";
import type { Random } from "../../random.ts";
import { addScaled, disposeWeights, type Weights } from "../../tensor/weights.ts";
import type { Person } from "../meta_unlearn/simulate_requests.ts";
import { curvature } from "./curvature.ts";
import type { Answers } from "./divergence.ts";
import { DivergenceGradients } from "./divergence_gradients.ts";
import { Forgetting } from "./forgetting.ts";
import { addTo, sumOf, unflatten } from "./flat.ts";
import type { GradientMoments } from "./gradient_moments.ts";
import type { MemoriseRecipe, MemoryContext } from "./memory_context.ts";
import { preconditionAll, type StepSettings } from "./preconditioner.ts";
import type { RowStore } from "./row_store.ts";

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
 * person carries an equal share of what protects the others. One round without the last two
 * terms gives the plain gradient at theta; later rounds take gradients at the model that the rows so far
 * lead to.
 *
 * @param rows rows to go on from, of {@link rowLength} numbers; those of a run that begins are zero
 * @param from rounds that are done; `groups`: the same groups in every round, in place of dealing
 * @param onPeople called with the people of each group
 */
export async function memorise(
  context: MemoryContext,
  settings: StepSettings,
  recipe: MemoriseRecipe,
  random: Random,
  rows: RowStore,
  { from = 0, groups, onPeople }: {
    readonly from?: number;
    readonly groups?: readonly (readonly Person[])[];
    readonly onPeople?: (people: number, round: number) => void;
  } = {},
): Promise<void> {
  const { people, task } = context;
  const { lastStep, rounds, groupSizes } = recipe;
  const gradients = new DivergenceGradients(context, task);
  const forgetting = new Forgetting(context.theta, context.moments, settings);
  const first = new Map<number, number>();
  try {
    for (let round = from; round < rounds; round++) {
      const own = random.fork(`round ${round}`);
      const size = groupSizes[round % groupSizes.length];
      if (!first.has(size)) {
        first.set(size, await firstStep(context, settings, recipe, gradients, size, random));
      }
      const step = first.get(size)! * (1 - (1 - lastStep) * (rounds === 1 ? 0 : round / rounds));
      for (const [i, group] of (groups ?? deal(people, size, own)).entries()) {
        const request = own.fork(`group ${i}`);
        await goOn(context, forgetting, recipe, request, gradients, rows, group, step);
        onPeople?.(group.length, round + 1);
      }
      await rows.endRound(round + 1, round + 1 === rounds);
    }
  } finally {
    gradients.dispose();
    forgetting.dispose();
  }
}

/** The factor a_t of a group size's first round: 1, or a share of the largest that is stable. */
async function firstStep(
  context: MemoryContext,
  settings: StepSettings,
  recipe: MemoriseRecipe,
  gradients: DivergenceGradients,
  size: number,
  random: Random,
): Promise<number> {
  const { stableShare = 0 } = recipe;
  if (stableShare === 0) return 1;
  const own = random.fork(`curvature of ${size}`);
  const group = own.shuffle(context.people).slice(0, size);
  return stableShare * 2 / await curvature(context, settings, recipe, gradients, group, own);
}

/** Numbers of a row between rounds: a sum of gradients and, with momentum, by how much it went on last. */
export function rowLength(
  theta: Weights,
  { momentum = 0 }: Pick<MemoriseRecipe, "momentum">,
): number {
  return sizeOf(theta) * (momentum === 0 ? 1 : 2);
}

function sizeOf(theta: Weights): number {
  return Object.values(theta).reduce((sum, { size }) => sum + size, 0);
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

/** Moves a group's rows by their gradients at the group's own theta_u. */
async function goOn(
  { theta, source, people, val, reference, original }: MemoryContext,
  forgetting: Forgetting,
  { retainWeight, valWeight, retainImages, labelShare = 0, momentum = 0 }: MemoriseRecipe,
  random: Random,
  gradients: DivergenceGradients,
  rows: RowStore,
  group: readonly Person[],
  step: number,
): Promise<void> {
  const size = sizeOf(theta);
  const before: Float32Array[] = [];
  for (const { row } of group) before.push(await rows.read(row));
  const sums = before.map((values) => values.subarray(0, size));
  const moved = forgetting.of(sums);
  const chosen = new Set(group.map(({ row }) => row));
  const others = people.flatMap(({ row, images }) => chosen.has(row) ? [] : images);
  const held = new Float32Array(size);
  const labelled = withLabels(original, source, labelShare);
  for (
    const [weight, images, count, due] of [
      [retainWeight, others, retainImages, labelled],
      [valWeight, val, Math.ceil(retainImages / 2), original],
    ] as const
  ) {
    if (weight === 0 || images.length === 0) continue;
    const drawn = new Cycle(images, random).take(Math.min(count, images.length));
    await gradients.queue(
      moved,
      moved,
      source,
      drawn,
      due,
      (found) => addTo(held, found, weight),
    );
  }
  for (const [k, { images }] of group.entries()) {
    await gradients.queue(moved, moved, source, images, reference, (own) => {
      const [sum, velocity] = [sums[k], before[k].subarray(size)];
      if (momentum === 0) {
        for (let i = 0; i < size; i++) sum[i] += step * (own[i] + held[i]);
      } else {
        for (let i = 0; i < size; i++) {
          velocity[i] = momentum * velocity[i] + step * (own[i] + held[i]);
          sum[i] += velocity[i];
        }
      }
    });
  }
  await gradients.settle();
  for (const [k, { row }] of group.entries()) await rows.write(row, before[k]);
}

/** What the model said of images, moved by a share towards their true labels. */
function withLabels(said: Answers, source: ImageFeed, share: number): Answers {
  if (share === 0) return said;
  return (indices) => {
    const targets = source.targets(indices);
    return said(indices).map((answer, i) => (1 - share) * answer + share * targets[i]);
  };
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
