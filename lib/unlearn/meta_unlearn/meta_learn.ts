import { Cycle } from "../../data/batches.ts";
import type { ImageFeed } from "../../data/loader/image_source.ts";
import { Random } from "../../random.ts";
import { cosine } from "../../tensor/schedule.ts";
import type { Weights } from "../../tensor/weights.ts";
import type { Measured } from "./eq5_eq6_auxiliary_objective.ts";
import type { Interval } from "../../measure/bootstrap.ts";
import { auxiliaryBatches, type Keep, keptImages } from "./auxiliary_batches.ts";
import type { MetaObjective } from "./meta_objective.ts";
import { copyParameters, disposeParameters, type MetaParameters } from "./meta_parameters.ts";
import { metaStep } from "./open_meta_step.ts";
import { type Person, type SimulatedRequest, simulateRequests } from "./simulate_requests.ts";
import { disposeSupport, supportOf } from "./support.ts";

export { disposeParameters, type Keep, type MetaParameters };

/** How the meta-loss is trained (Table 8a and the options beyond the paper). */
export interface MetaLearningRecipe {
  /** N_S: people per simulated request. */
  readonly requestSize: number;
  /** Passes over the images. */
  readonly epochs: number;
  /** alpha: learning rate of AdamW with AMSGrad on phi, cosine per epoch. */
  readonly learningRate: number;
  /** Images per forget, validation and keep batch. */
  readonly batchSize: number;
  /** Dropout inside the meta-loss, in meta-training only. */
  readonly dropout: number;
  /** Whose loss is held. */
  readonly keep: Keep;
  /** Learning rate of log s_k; null for one global step size (the paper). */
  readonly stepSizeLearningRate: number | null;
}

/** How requests of people held out of meta-training fare; picks the epoch. */
export interface HeldOut {
  /** Estimate of the Tug-of-War, a fraction. */
  readonly tugOfWar: number;
  /** Its 95 % interval over the people and images it was judged by; absent with too few of them. */
  readonly interval?: Interval;
  /** Metric of the people to forget, of other training people and of validation, after the step. */
  readonly forget: number;
  /** Of the people who stay. */
  readonly retain: number;
  /** Of the validation people. */
  readonly val: number;
}

/** What one meta-epoch came to. */
export interface MetaEpoch {
  /** 1-based. */
  readonly epoch: number;
  /** Mean of A over the epoch's requests. */
  readonly objective: number;
  /** Mean task metric on forget images after the step. */
  readonly forget: number;
  /** How held-out requests fared. */
  readonly heldOut?: HeldOut;
}

/** All that a run needs to go on after a meta-epoch. */
export interface MetaLearningState {
  readonly history: readonly MetaEpoch[];
  readonly parameters: MetaParameters;
  /** Parameters of the best epoch by held-out requests. */
  readonly best: MetaParameters;
  readonly moments: Weights;
  readonly stepSizeMoments: Weights;
  readonly steps: number;
}

/** A meta-learning run. */
export interface MetaLearning {
  readonly recipe: MetaLearningRecipe;
  readonly objective: MetaObjective;
  readonly seed: number;
  /** The people that are meta-trained on. */
  readonly people: readonly Person[];
  /** Images of validation people, Dv. */
  readonly val: readonly number[];
  /** Hidden width of the meta-loss: the size of its dropout mask. */
  readonly hidden: number;
  /**
   * Where simulated support images come from; default the objective's own source. Beyond the paper:
   * theta was trained on every image that can be drawn here, but not on the photograph that a real
   * request brings, so varied images are the better rehearsal.
   */
  readonly supportSource?: (random: Random) => ImageFeed;
  /** Evaluates held-out requests; absent without a hold-out. */
  readonly heldOut?: ((parameters: MetaParameters) => Promise<HeldOut>) | undefined;
  /** Called when the run's first step is done. */
  readonly onFirstStep?: () => Promise<void>;
  readonly onRequest?: (people: number, epoch: number, objective: number) => void;
  /** Called after each epoch with tensors that stay the loop's. */
  readonly onEpoch?: (state: MetaLearningState) => Promise<void>;
}

/**
 * Algorithm 1, MetaUnlearn training: simulate a request, take the unlearning step, measure A, follow
 * its exact gradient with AdamW (AMSGrad, no weight decay), forget the unlearned model, repeat.
 *
 * Every epoch draws from streams of its own, so a run that goes on from `from` ends with the same bits.
 *
 * @param initial phi and step sizes at the start; stay the caller's. Ignored with `from`
 * @param from state of an earlier run of the same settings; its tensors are taken over
 * @returns the last epoch's parameters or, with held-out requests, the best epoch's; the caller's
 */
export async function metaLearn(
  learning: MetaLearning,
  theta: Weights,
  initial: MetaParameters,
  from?: MetaLearningState,
): Promise<{ parameters: MetaParameters; history: readonly MetaEpoch[] }> {
  const { recipe, objective, people, seed } = learning;
  const history: MetaEpoch[] = [...from?.history ?? []];
  const step = metaStep(objective, theta, from?.parameters ?? copyParameters(initial));
  let best = from?.best ?? copyParameters(initial);
  if (from) step.restore(from.moments, from.stepSizeMoments, from.steps);

  const kept = keptImages(learning);
  let stepped = false;
  for (let epoch = history.length + 1; epoch <= recipe.epochs; epoch++) {
    const random = new Random(seed, `meta-learn epoch ${epoch}`);
    const requests = simulateRequests(people, recipe.requestSize, random.fork("requests"));
    const val = new Cycle(learning.val, random.fork("val"));
    const dropout = {
      share: recipe.dropout,
      hidden: learning.hidden,
      random: random.fork("dropout"),
    };
    const keepRandom = random.fork("keep");
    const source = learning.supportSource?.(random.fork("support")) ?? objective.source;
    const rate = cosine(1, epoch - 1, recipe.epochs);
    const results: Measured[] = [];
    // One request ahead, so that its images load while this one's are computed with.
    const prepare = (request: SimulatedRequest | undefined) => {
      if (!request) return [];
      const batches = auxiliaryBatches(request, learning, val, kept, keepRandom);
      source.warm?.(request.support);
      objective.source.warm?.(
        batches.flatMap(({ forget, val, keep }) => [...forget, ...val, ...keep]),
      );
      return batches;
    };
    let next = prepare(requests[0]);
    for (const [i, request] of requests.entries()) {
      const support = await supportOf({ source }, request, dropout);
      const batches = next;
      next = prepare(requests[i + 1]);
      const rates = {
        phi: recipe.learningRate * rate,
        stepSizes: (recipe.stepSizeLearningRate ?? 0) * rate,
      };
      await step.take(support, batches, rates, (value, metric) => {
        results.push({ loss: value, metric });
        learning.onRequest?.(request.rows.length, epoch, value);
      });
      disposeSupport(support);
      if (!stepped) await learning.onFirstStep?.();
      stepped = true;
    }
    await step.finish();
    const average = (of: (result: Measured) => number) =>
      results.reduce((sum, result) => sum + of(result), 0) / results.length;
    const heldOut = await learning.heldOut?.(step.parameters);
    // A score of NaN (a step that wrecked theta) neither wins nor stands in a later epoch's way.
    const better = !heldOut || !Number.isNaN(heldOut.tugOfWar) &&
        history.every(({ heldOut: earlier }) => !(earlier!.tugOfWar >= heldOut.tugOfWar));
    if (better) {
      disposeParameters(best);
      best = copyParameters(step.parameters);
    }
    history.push({
      epoch,
      objective: average((result) => result.loss),
      forget: average((result) => result.metric),
      ...(heldOut ? { heldOut } : {}),
    });
    await learning.onEpoch?.({
      history,
      parameters: step.parameters,
      best,
      ...step.moments(),
      steps: step.steps,
    });
  }
  step.dispose();
  return { parameters: best, history };
}
