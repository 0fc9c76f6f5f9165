import type { ImageFeed } from "../../data/loader/image_source.ts";
import { weightChange } from "../../model/weight_change.ts";
import { downloadWeights } from "../../model/device_weights.ts";
import type { StepRange } from "../../model/kit/kit_manifest.ts";
import type { Weight } from "../../model/safetensors.ts";
import type { Random } from "../../random.ts";
import type { Weights } from "../../tensor/weights.ts";
import {
  disposeSupport,
  type MetaParameters,
  supportOf,
} from "../../unlearn/meta_unlearn/meta_learn.ts";
import {
  type Person,
  type SimulatedRequest,
  simulateRequests,
} from "../../unlearn/meta_unlearn/simulate_requests.ts";
import {
  disposeStep,
  type UnlearningSettings,
  unlearningStep,
} from "../../unlearn/meta_unlearn/algorithm1_unlearning_step.ts";

/** Requests that are tried of one person and of N_S people. */
const REQUESTS = 6;

/**
 * How far MetaUnlearn's step moves the weights on simulated requests, of one person and of N_S: what a
 * real step is held against.
 *
 * @param people whose requests are simulated, held out of meta-training where some are
 * @param theta the model on the device and on the host
 * @returns undefined where a step leaves numbers that are not finite
 */
export async function measureStepRange(
  people: readonly Person[],
  heldOut: boolean,
  requestSize: number,
  theta: { readonly device: Weights; readonly host: ReadonlyMap<string, Weight> },
  { phi, logStepSizes }: MetaParameters,
  settings: UnlearningSettings,
  source: ImageFeed,
  random: Random,
): Promise<StepRange | undefined> {
  const sizes = [...new Set([1, Math.min(requestSize, people.length)])];
  const requests = sizes.flatMap((size): SimulatedRequest[] =>
    simulateRequests(people, size, random.fork(`of ${size}`)).slice(0, REQUESTS)
  );
  let [low, high] = [Infinity, 0];
  for (const request of requests) {
    const support = await supportOf({ source }, request);
    const step = await unlearningStep(theta.device, phi, support, settings, logStepSizes);
    disposeSupport(support);
    const { relative } = weightChange(theta.host, await downloadWeights(step.theta));
    disposeStep(step);
    if (!Number.isFinite(relative)) return undefined;
    [low, high] = [Math.min(low, relative), Math.max(high, relative)];
  }
  return { requests: requests.length, heldOut, low, high };
}
