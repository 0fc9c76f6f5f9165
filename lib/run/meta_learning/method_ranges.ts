import type { ModelConfig } from "../../model/config.ts";
import type { StepRange } from "../../model/kit/kit_manifest.ts";
import { disposeWeights } from "../../tensor/weights.ts";
import { requestFactor } from "../../unlearn/memory/request_scale.ts";
import { scaledRow, subtractRows } from "../../unlearn/memory/row_step.ts";
import { JustInTime } from "../../unlearn/compared/jit.ts";
import { retainedProjectors } from "../../unlearn/compared/pgu.ts";
import type { Method } from "../../unlearn/methods/method.ts";
import type { MethodSettings } from "../../unlearn/methods.ts";
import type { TrainingStatistics } from "../../unlearn/training_statistics.ts";
import { type LearnedMemory, requestScales } from "../memory/scale_rows.ts";
import { rangeOfSteps, type Simulated } from "./step_ranges.ts";

/** Requests that are tried of one person and of N_S people: SSD, PGU and JiT take longer than MetaUnlearn. */
const REQUESTS = 3;

/**
 * How far a method's steps, by the kit's own settings, move the weights on simulated requests.
 *
 * PGU decomposes its covariances for each request anew, which takes minutes where layers are wide; here
 * once for all of them, less nobody's part: a request's own is small beside all training images'.
 *
 * @param statistics what the method needs is among them
 * @returns undefined as {@link rangeOfSteps}
 */
export async function methodRange(
  method: Method,
  settings: MethodSettings,
  statistics: TrainingStatistics,
  simulated: Simulated,
  { config, microBatch }: { readonly config: ModelConfig; readonly microBatch: number },
): Promise<StepRange | undefined> {
  const { covariances } = statistics;
  const projectors = method.needs.includes("covariances") && covariances
    ? (await retainedProjectors(covariances, null, settings.gamma)).projectors
    : undefined;
  const theta = simulated.theta.device;
  const backbone = { shape: config, microBatch };
  const jit = method.name === "jit"
    ? new JustInTime({ theta, backbone, learningRate: settings.learningRate })
    : undefined;
  const context = {
    ...{ theta, ...backbone, task: config.task },
    ...{ source: simulated.source, statistics },
    ...(projectors ? { projectors } : {}),
    ...(jit ? { jit } : {}),
  };
  try {
    return await rangeOfSteps(simulated, REQUESTS, async ({ rows, support }) => {
      const random = simulated.random.fork(`${method.name} of ${rows.join()}`);
      const request = { support, forget: [], retain: [] };
      return (await method.run({ ...context, random }, request, settings)).theta;
    });
  } finally {
    disposeWeights(projectors);
    jit?.dispose();
  }
}

/** The same of what a kit remembers, taken out of the weights as a request of so many people has it. */
export function memoryRange(
  { rows, scales }: LearnedMemory,
  simulated: Simulated,
): Promise<StepRange | undefined> {
  const factors = requestScales(scales);
  return rangeOfSteps(simulated, REQUESTS, async (request) => {
    const factor = requestFactor(factors, request.rows.length);
    const own = [];
    for (const row of request.rows) own.push(scaledRow(await rows.read(row), factor));
    return subtractRows(simulated.theta.device, own);
  });
}
