import type { ImageFeed } from "../../data/loader/image_source.ts";
import { weightChange } from "../../model/weight_change.ts";
import { downloadWeights } from "../../model/device_weights.ts";
import type { StepRange } from "../../model/kit/kit_manifest.ts";
import type { Weight } from "../../model/safetensors.ts";
import type { Random } from "../../random.ts";
import { eventLoopTurn } from "../../tensor/event_loop.ts";
import { disposeWeights, type Weights } from "../../tensor/weights.ts";
import type { MetaParameters } from "../../unlearn/meta_unlearn/meta_learn.ts";
import { disposeSupport, supportOf } from "../../unlearn/meta_unlearn/support.ts";
import {
  type Person,
  type SimulatedRequest,
  simulateRequests,
} from "../../unlearn/meta_unlearn/simulate_requests.ts";
import type { UnlearningSettings } from "../../unlearn/meta_unlearn/algorithm1_unlearning_step.ts";
import { UnlearningSteps } from "../../unlearn/meta_unlearn/unlearning_steps.ts";

/** Whose requests are simulated to see how far steps move the weights. */
export interface Simulated {
  /** Held out of meta-training where some are. */
  readonly people: readonly Person[];
  readonly heldOut: boolean;
  /** N_S. */
  readonly requestSize: number;
  /** Where photographs come from. */
  readonly source: ImageFeed;
  /** Draws people and photographs, the same ones for every method. */
  readonly random: Random;
  /** theta on the device and on the host. */
  readonly theta: { readonly device: Weights; readonly host: ReadonlyMap<string, Weight> };
}

/**
 * How far a method's steps move the weights on simulated requests, of one person and of N_S: what a real
 * step is held against.
 *
 * @param each requests that are tried of either size
 * @param step gives theta_u, which is disposed here
 * @returns undefined where a step leaves numbers that are not finite, or none moves anything
 */
export async function rangeOfSteps(
  { people, heldOut, requestSize, random, theta }: Simulated,
  each: number,
  step: (request: SimulatedRequest) => Promise<Weights>,
): Promise<StepRange | undefined> {
  const sizes = [...new Set([1, Math.min(requestSize, people.length)])];
  const requests = sizes.flatMap((size): SimulatedRequest[] =>
    simulateRequests(people, size, random.fork(`of ${size}`)).slice(0, each)
  );
  let [low, high] = [Infinity, 0];
  for (const request of requests) {
    const after = await step(request);
    const { relative } = weightChange(theta.host, await downloadWeights(after));
    disposeWeights(after);
    if (!Number.isFinite(relative)) return undefined;
    [low, high] = [Math.min(low, relative), Math.max(high, relative)];
    await eventLoopTurn();
  }
  return high === 0 ? undefined : { requests: requests.length, heldOut, low, high };
}

/** Requests of MetaUnlearn's that are tried of one person and of N_S people. */
const REQUESTS = 6;

/** The range of MetaUnlearn's step, as {@link rangeOfSteps} finds it. */
export async function metaUnlearnRange(
  simulated: Simulated,
  { phi, logStepSizes }: MetaParameters,
  settings: UnlearningSettings,
): Promise<StepRange | undefined> {
  const { source, theta } = simulated;
  const steps = new UnlearningSteps(phi, settings, logStepSizes);
  try {
    return await rangeOfSteps(simulated, REQUESTS, async (request) => {
      const support = await supportOf({ source }, request);
      const step = await steps.take(theta.device, support);
      disposeSupport(support);
      return step.theta;
    });
  } finally {
    steps.dispose();
  }
}
