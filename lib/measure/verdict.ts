import type { Random } from "../random.ts";
import { clusteredInterval, type Interval } from "./bootstrap.ts";
import { resampledRoc } from "./resampled_roc.ts";
import { areaUnderRoc } from "./roc.ts";

/** How an unlearned model stands to the retrained one; see {@link forgettingVerdict}. */
export type Verdict =
  | "under-forgotten"
  | "indistinguishable"
  | "over-forgotten"
  /** No outcome of the test could have reached the level. */
  | "too few people";

/** Images with the person that each shows, and their losses under both models, nats. */
export interface ComparedImages {
  /** Whom each image shows. */
  readonly identities: readonly string[];
  /** Loss of each image, nats. */
  readonly unlearned: ArrayLike<number>;
  /** Loss of each image, nats. */
  readonly retrained: ArrayLike<number>;
}

/** The verdict and what it rests on. */
export interface ForgettingVerdict {
  /** In a word. */
  readonly verdict: Verdict;
  /** The chance that a forgotten image's margin exceeds an unseen one's; 0.5 when nothing differs. */
  readonly auc: number;
  /** 95 % bootstrap interval of `auc`, clustered by identity. */
  readonly interval: Interval;
  /** Two-sided. */
  readonly pValue: number;
  /** The smallest that so many people and relabellings allow. */
  readonly smallestPValue: number;
}

/** What {@link forgettingVerdict} is free to choose. */
export interface VerdictSettings {
  /** Where draws come from. */
  readonly random: Random;
  /** Resamples of the bootstrap and relabellings of the test; default 1000. */
  readonly draws?: number;
  /** Of the test, two-sided; default 0.05. */
  readonly level?: number;
}

/**
 * Whether the forgotten people can be told from people whom the model never saw, by how it differs
 * from the model retrained without them. Two-sided:
 *
 * - margin of an image = loss(theta_r) - loss(theta_u) = log Pr(x|theta_u) / Pr(x|theta_r), the
 *   likelihood ratio of RMIA with a = 1 and the retrained model itself as the reference;
 * - statistic: the AUC of the margins of forgotten people's images against test people's. What a
 *   method does to everybody moves both alike and cancels;
 * - test: by permutation of whole people. theta_r saw neither group; had theta_u not seen the
 *   forgotten either, which people are called forgotten would not matter. The p-value is twice the
 *   smaller tail over relabellings (all of them for one person, drawn ones otherwise), the one at hand
 *   counted, so it is valid with few people, where bootstrap intervals are too narrow.
 *
 * Where p <= level: above 0.5 the people are remembered still (`under-forgotten`); below it the model
 * does worse on them than on strangers (`over-forgotten`), which gives them away as well (the
 * Streisand effect). Otherwise `indistinguishable`, which shows no difference and proves no equality.
 *
 * @throws {RangeError} when a group is empty or a loss is not a finite number
 */
export function forgettingVerdict(
  forgotten: ComparedImages,
  unseen: ComparedImages,
  { random, draws = 1000, level = 0.05 }: VerdictSettings,
): ForgettingVerdict {
  const [inside, outside] = [margins(forgotten), margins(unseen)];
  const auc = areaUnderRoc(inside, outside);
  const rocOf = resampledRoc(inside, outside);
  const interval = clusteredInterval(
    [forgotten.identities, unseen.identities],
    ([forgottenDrawn, unseenDrawn]) => rocOf(forgottenDrawn, unseenDrawn).auc,
    { random: random.fork("bootstrap"), draws },
  );
  const people = [...rankSums(forgotten, unseen, [...inside, ...outside])];
  const asked = new Set(forgotten.identities).size;
  const images = inside.length + outside.length;
  const aucs = asked === 1
    ? people.map((person) => aucOf([person], images))
    : relabelled(people, asked, images, random.fork("relabellings"), draws);
  // Relabellings give the statistic by another sum than `auc`: a rounding error is no difference.
  const tail = (beyond: (other: number) => boolean) => aucs.filter(beyond).length / aucs.length;
  const pValue = Math.min(
    1,
    2 * Math.min(tail((other) => other >= auc - 1e-12), tail((other) => other <= auc + 1e-12)),
  );
  const smallestPValue = Math.min(1, 2 / Math.min(aucs.length, choices(people.length, asked)));
  const verdict = smallestPValue > level
    ? "too few people"
    : pValue > level
    ? "indistinguishable"
    : auc > 0.5
    ? "under-forgotten"
    : "over-forgotten";
  return { verdict, auc, interval, pValue, smallestPValue };
}

/** A person's share of the pooled ranks. */
interface RankSum {
  readonly images: number;
  readonly ranks: number;
}

function margins({ unlearned, retrained }: ComparedImages): number[] {
  return Array.from({ length: unlearned.length }, (_, i) => {
    const margin = retrained[i] - unlearned[i];
    if (Number.isFinite(margin)) return margin;
    throw new RangeError(`loss ${i} is ${unlearned[i]}, retrained ${retrained[i]}`);
  });
}

/** Each person's images among all, ranked from 1, ties at their mean rank; forgotten people first. */
function rankSums(forgotten: ComparedImages, unseen: ComparedImages, values: readonly number[]) {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let i = from; i < to; i++) ranks[order[i]] = (from + 1 + to) / 2;
    from = to;
  }
  // The same name in both groups means two people.
  const names = [
    ...forgotten.identities.map((name) => `forgotten ${name}`),
    ...unseen.identities.map((name) => `unseen ${name}`),
  ];
  const people = new Map<string, RankSum>();
  names.forEach((name, i) => {
    const { images, ranks: sum } = people.get(name) ?? { images: 0, ranks: 0 };
    people.set(name, { images: images + 1, ranks: sum + ranks[i] });
  });
  return people.values();
}

/** The AUC when these people are the forgotten ones (Mann and Whitney's U by rank sums). */
function aucOf(people: readonly RankSum[], images: number): number {
  const inside = people.reduce((sum, person) => sum + person.images, 0);
  const ranks = people.reduce((sum, person) => sum + person.ranks, 0);
  return (ranks - inside * (inside + 1) / 2) / (inside * (images - inside));
}

/** The AUC as it is (the first people are the forgotten ones) and of drawn relabellings. */
function relabelled(
  people: readonly RankSum[],
  asked: number,
  images: number,
  random: Random,
  draws: number,
): number[] {
  return [
    aucOf(people.slice(0, asked), images),
    ...Array.from({ length: draws }, () => aucOf(random.shuffle(people).slice(0, asked), images)),
  ];
}

/** n over k, as far as it matters. */
function choices(n: number, k: number): number {
  let product = 1;
  for (let i = 1; i <= Math.min(k, n - k); i++) product *= (n - i + 1) / i;
  return Math.round(product);
}
