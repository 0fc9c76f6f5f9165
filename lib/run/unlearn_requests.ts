import { buildFolder } from "../files/write_whole.ts";
import type { Device } from "../tensor/device.ts";
import { kitDefault } from "./kit_default.ts";
import type { MethodChoice } from "../unlearn/unlearn_from_kit.ts";
import {
  closeUnlearning,
  type PlanOptions,
  planUnlearning,
  rowsFor,
  whileInUse,
} from "./unlearn_plan.ts";
import { unlearnRows } from "./unlearn_from_requests.ts";
import type { UnlearnSummary } from "./unlearn_summary.ts";

/** What {@link unlearnRequests} needs. It reads the kit, its key and the requests; nothing else. */
export interface UnlearnOptions extends PlanOptions {
  /** What computes. */
  readonly device: Device;
  /** Images per pass. */
  readonly microBatch?: number | undefined;
  /** Bytes of device memory to keep within. */
  readonly memoryLimit?: number | undefined;
  /** Default memory where the kit remembers people, else MetaUnlearn. */
  readonly choice?: Partial<MethodChoice>;
  /** False takes photographs that seem to show somebody else. */
  readonly matchCheck?: boolean;
  /** True takes a step far from those of simulated requests. */
  readonly allowUnusualStep?: boolean;
}

/**
 * Forgets the people of a folder of requests (Algorithm 1, or another method): writes the new
 * weights, the kit for the next request, without these people's embedding rows, and a summary.
 *
 * It runs in this process, with this process's rights; `unlearnContained` runs the same in a worker
 * that cannot reach anything else.
 *
 * @throws UsageError there is no kit
 * @throws LetheError bad input; an identity that the kit does not know or has forgotten already; a
 *   kit with a successor; `out` exists
 */
export async function unlearnRequests(options: UnlearnOptions): Promise<UnlearnSummary> {
  const { device, kit, support, out, microBatch = 16 } = options;
  const plan = await planUnlearning(options);
  return await whileInUse(options, plan, (made) =>
    buildFolder(out, async (folder) => {
      const openDevice = () => Promise.resolve(device);
      const method = options.choice?.method ?? kitDefault(plan.manifest);
      const choice = { seed: 0, set: {}, ...options.choice, method };
      const rows = await rowsFor(kit, plan, method);
      const limit = options.memoryLimit === undefined ? {} : { memoryLimit: options.memoryLimit };
      const match = options.matchCheck === undefined ? {} : { matchCheck: options.matchCheck };
      const unusual = options.allowUnusualStep ? { allowUnusualStep: true } : {};
      const run = {
        openDevice,
        kit,
        support,
        rows,
        folder,
        choice,
        microBatch,
        ...limit,
        ...match,
        ...unusual,
      };
      const summary = await unlearnRows(run);
      await closeUnlearning(folder, summary);
      await made(summary);
      return summary;
    }));
}
