import * as tf from "@tensorflow/tfjs";
import { Cycle } from "../../data/batches.ts";
import type { Random } from "../../random.ts";
import { adamW, ADAMW_DEFAULTS } from "../../tensor/optimisers/adamw.ts";
import { readTogether } from "../../tensor/read_together.ts";
import { Gathered } from "../../tensor/recording/gathered.ts";
import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import {
  accumulate,
  addScaled,
  disposeWeights,
  mapWeights,
  type Weights,
} from "../../tensor/weights.ts";
import type { Person } from "../meta_unlearn/simulate_requests.ts";
import { type Answers, divergenceGradient } from "./divergence.ts";
import { addTo, unflatten } from "./flat.ts";
import type { MemoryContext } from "./memory_context.ts";
import type { RowStore } from "./row_store.ts";
import { preconditionAll, settingsGradient, type StepSettings } from "./preconditioner.ts";

/** How the step's settings are learned. */
export interface LearnRecipe {
  readonly steps: number;
  /** Of Adam, on log s, log lambda and pi; falls to a tenth by a cosine. */
  readonly learningRate: number;
  /** Largest simulated request; every third is of a quarter as many people. */
  readonly requestSize: number;
  /** Images of the forgotten, of others and of validation people that a step looks at. */
  readonly images: number;
  /** Weight of what other training people lose, and of what validation people do. */
  readonly retainWeight: number;
  readonly valWeight: number;
}

/** What the step starts from. */
export type StepContext = Pick<
  MemoryContext,
  "theta" | "task" | "source" | "moments" | "shape" | "microBatch"
>;

/** Frees settings. */
export function disposeSettings({ logSize, logDamping, power }: StepSettings): void {
  for (const weights of [logSize, logDamping, power]) disposeWeights(weights);
}

/**
 * Settings at the start: damping lambda, power pi, and sizes such that one person's step is a share of
 * each tensor's own norm.
 *
 * @param rows sums of gradients of some people
 * @param share of a weight tensor's norm; tensors near zero count as of deviation 0.01
 */
export async function initialSettings(
  { theta, moments }: Pick<MemoryContext, "theta" | "moments">,
  rows: readonly Float32Array[],
  share: number,
  damping: number,
  power: number,
): Promise<StepSettings> {
  const constant = (value: number) => mapWeights(theta, () => tf.scalar(value));
  const start = {
    logSize: constant(0),
    logDamping: constant(Math.log(damping)),
    power: constant(power),
  };
  const names = Object.keys(theta);
  const normsOf = (weights: Weights) =>
    mapWeights(weights, (tensor) => tf.tidy(() => tf.norm(tensor)));
  const step = new Recorded((gradients: Tensors) => {
    const steps = preconditionAll(gradients, moments, start);
    const norms = normsOf(steps);
    disposeWeights(steps);
    return norms as Tensors;
  });
  const results = new Gathered();
  const norms = names.map(() => 0);
  for (const row of rows) {
    const gradients = unflatten(row, theta);
    const own = step.run(gradients);
    disposeWeights(gradients);
    await results.add(names.map((name) => own[name]), (...values) => {
      values.forEach(([norm], k) => norms[k] += norm / rows.length);
    });
  }
  await results.finish();
  step.dispose();
  const own = normsOf(theta);
  const sizes: Record<string, tf.Tensor> = {};
  const found = await readTogether(names.map((name) => own[name]));
  for (const [k, [norm]] of found.entries()) {
    const name = names[k];
    const due = share * (norm + 0.01 * Math.sqrt(theta[name].size));
    sizes[name] = tf.scalar(Math.log(due / Math.max(norms[k], 1e-12)));
  }
  disposeWeights(own);
  disposeWeights(start.logSize);
  return { ...start, logSize: sizes };
}

/** A term of the objective: some images, the answers that are wanted on them, and the term's weight. */
export interface ObjectivePart {
  readonly weight: number;
  readonly images: readonly number[];
  readonly answers: Answers;
}

/**
 * The objective sum_i w_i KL(answers_i || f_theta_u) at theta_u = theta - P g, and its gradient in
 * the settings.
 *
 * @param gradients g, the sum of the forgotten people's rows
 * @returns value (cross entropies) and scalars by the names of theta; the caller disposes these
 */
export async function stepObjective(
  { theta, task, source, moments, ...backbone }: StepContext,
  gradients: Weights,
  settings: StepSettings,
  parts: readonly ObjectivePart[],
): Promise<{ value: number; gradient: StepSettings }> {
  const moves = preconditionAll(gradients, moments, settings);
  const moved = addScaled(theta, moves, -1);
  let cotangent: Weights = mapWeights(theta, tf.zerosLike);
  let value = 0;
  for (const { weight, images, answers } of parts) {
    if (weight === 0 || images.length === 0) continue;
    const part = await divergenceGradient(moved, backbone, task, source, images, answers);
    value += weight * part.value;
    cotangent = accumulate(cotangent, part.gradients, -weight);
  }
  const gradient = settingsGradient(gradients, cotangent, moments, settings);
  for (const weights of [moves, moved, cotangent]) disposeWeights(weights);
  return { value, gradient };
}

/**
 * Learns s, lambda and pi of every tensor on simulated requests, by Adam on
 *
 *     KL(reference || f_theta_u) on the forgotten images + w_r KL(f_theta || f_theta_u) on others'
 *     + w_v KL(f_theta || f_theta_u) on validation images.
 *
 * The step is linear in the rows, so that its gradient takes one pass at theta_u and the closed form of
 * {@link settingsGradient}.
 *
 * @param people whose requests are simulated: those that the settings are chosen by are not among them
 * @param rows of everybody, by row
 * @param initial stays the caller's
 * @returns the caller disposes it with {@link disposeSettings}
 */
export async function learnStep(
  context: MemoryContext,
  people: readonly Person[],
  rows: Pick<RowStore, "read">,
  initial: StepSettings,
  recipe: LearnRecipe,
  random: Random,
  onStep?: (objective: number) => void,
): Promise<StepSettings> {
  const { theta, val, reference, original } = context;
  const optimiser = adamW({ ...ADAMW_DEFAULTS, weightDecay: 0 });
  // The optimiser frees what it is given.
  let parameters = mapWeights(pack(initial), tf.clone);
  for (let step = 0; step < recipe.steps; step++) {
    const own = random.fork(`step ${step}`);
    const most = Math.min(recipe.requestSize, people.length);
    const size = step % 3 === 2 ? Math.max(1, Math.round(most / 4)) : most;
    const asked = own.shuffle(people).slice(0, size);
    const chosen = new Set(asked.map(({ row }) => row));
    const others = context.people.flatMap(({ row, images }) => chosen.has(row) ? [] : images);
    const length = Object.values(theta).reduce((sum, { size }) => sum + size, 0);
    const sum = new Float32Array(length);
    for (const { row } of asked) addTo(sum, (await rows.read(row)).subarray(0, length), 1);
    const gradients = unflatten(sum, theta);
    const settings = unpack(parameters);
    const draw = (images: readonly number[]) =>
      new Cycle(images, own).take(Math.min(recipe.images, images.length));
    const { value, gradient } = await stepObjective(context, gradients, settings, [
      { weight: 1, images: draw(asked.flatMap(({ images }) => images)), answers: reference },
      { weight: recipe.retainWeight, images: others.length ? draw(others) : [], answers: original },
      { weight: recipe.valWeight, images: val.length ? draw(val) : [], answers: original },
    ]);
    const slope = pack(gradient);
    const rate = 0.1 + 0.9 * (1 + Math.cos(Math.PI * step / recipe.steps)) / 2;
    parameters = optimiser.step(parameters, slope, recipe.learningRate * rate);
    for (const weights of [gradients, slope]) disposeWeights(weights);
    onStep?.(value);
  }
  optimiser.dispose();
  return unpack(parameters);
}

const PARTS = ["logSize", "logDamping", "power"] as const;

/** One set of tensors, to be optimised together; the tensors stay where they are. */
function pack(settings: StepSettings): Weights {
  return Object.fromEntries(
    PARTS.flatMap((part) =>
      Object.entries(settings[part]).map(([name, tensor]) => [`${part}/${name}`, tensor])
    ),
  );
}

function unpack(parameters: Weights): StepSettings {
  const of = (part: string) =>
    Object.fromEntries(
      Object.entries(parameters).filter(([name]) => name.startsWith(`${part}/`))
        .map(([name, tensor]) => [name.slice(part.length + 1), tensor]),
    );
  return { logSize: of("logSize"), logDamping: of("logDamping"), power: of("power") };
}
