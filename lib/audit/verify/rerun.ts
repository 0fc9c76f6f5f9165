import { dirname, join } from "@std/path";
import { withTemporaryPath } from "../../files/temporary_path.ts";
import { readModel } from "../../model/checkpoint.ts";
import { integer, oneOf } from "../../files/json_fields.ts";
import { KIT_METHODS, type MethodName, methodOf } from "../../unlearn/methods.ts";
import { kindOf } from "../../unlearn/methods/method.ts";
import type { Weight } from "../../model/safetensors.ts";
import type { Verdict } from "../layers/checks.ts";
import type { SandboxChoice } from "../sandbox/containment.ts";
import type { Receipt } from "../receipt/receipt.ts";
import { unlearnContained } from "../sandbox/unlearn_contained.ts";
import { MEMORY, type UnlearnSettings } from "../sandbox/job.ts";

/**
 * How far a rerun on another adapter may end from the receipt's weights, as a share of the change that
 * unlearning made: the largest difference over the largest change, of all weights. Float32 on WebGPU
 * and on WASM differ by less (README).
 */
export const RERUN_TOLERANCE = 1e-3;

/** What a run is repeated with; it writes nothing that stays. */
export interface RerunOptions {
  /** `receipt.json`, with the outputs beside it. */
  readonly receiptPath: string;
  readonly kit: string;
  readonly support: string;
  readonly identityKey?: string;
  readonly sandbox: SandboxChoice;
  /** `auto` computes where the receipt's run did, if it can. */
  readonly settings: UnlearnSettings;
  readonly onLine?: (line: string) => void;
}

/**
 * Repeats a receipt's run in a contained worker and compares the weights: bit for bit on the same
 * adapter, within {@link RERUN_TOLERANCE} on another.
 *
 * @throws LetheError an input is refused, or the run fails
 */
export async function rerun(receipt: Receipt, options: RerunOptions): Promise<Verdict> {
  const { receiptPath, ...run } = options;
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "lethe-rerun-" }));
  return await withTemporaryPath(folder, async (): Promise<Verdict> => {
    const out = join(folder, "again");
    const settings = settingsOf(receipt, options.settings);
    // As with the sample: the kit has been used already, and this use leaves no trace.
    const { summary } = await unlearnContained({ ...run, settings, out, sample: true });
    if (summary.weights.after === receipt.weights.after) {
      return ["held", `the same weights, bit for bit, on ${summary.device}`];
    }
    if (summary.device === receipt.adapter) {
      return ["failed", `other weights on the same adapter, ${summary.device}`];
    }
    const [before, then, now] = await Promise.all(
      [options.kit, join(dirname(receiptPath), "model"), join(out, "model")].map(readModel),
    );
    const share = relativeDifference(before.theta, then.theta, now.theta);
    return [
      share <= RERUN_TOLERANCE ? "held" : "failed",
      `on ${summary.device} for ${receipt.adapter}: the weights differ by at most ` +
      `${share.toExponential(1)} of the largest change; ${RERUN_TOLERANCE} is allowed`,
    ];
  });
}

/** The run's own settings; the device is another where one is asked for. */
function settingsOf(receipt: Receipt, given: UnlearnSettings): UnlearnSettings {
  const { microBatch, memoryLimit, method, seed } = receipt.settings;
  const onWasm = given.device === "auto" && receipt.adapter.startsWith("WASM");
  return {
    microBatch: integer(1, 4096).accepts(microBatch) ? microBatch : given.microBatch,
    ...(MEMORY.accepts(memoryLimit) ? { memoryLimit } : {}),
    device: onWasm ? "wasm" : given.device,
    choice: {
      method: ran(method) ? method : "metaunlearn",
      seed: integer(0, 2 ** 32 - 1).accepts(seed) ? seed : 0,
      set: ran(method) ? setBy(receipt, method) : {},
    },
  };
}

/** Receipts from before there was a choice name no method: it was MetaUnlearn. */
function ran(method: unknown): method is MethodName {
  return oneOf(KIT_METHODS).accepts(method);
}

/** The method's settings as the receipt's run used them. */
function setBy({ settings }: Receipt, method: MethodName): Record<string, number> {
  const entries = Object.entries(methodOf(method).settings).flatMap(([name, setting]) => {
    const value = settings[name];
    const kind = kindOf(setting);
    return kind.accepts(value) ? [[name, value] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** The largest |now - then| over the largest |then - before|; infinite for other tensors. */
export function relativeDifference(
  before: ReadonlyMap<string, Weight>,
  then: ReadonlyMap<string, Weight>,
  now: ReadonlyMap<string, Weight>,
): number {
  let [difference, change] = [0, 0];
  if (now.size !== then.size) return Infinity;
  for (const [name, { values }] of then) {
    const [was, is] = [before.get(name)?.values, now.get(name)?.values];
    if (was?.length !== values.length || is?.length !== values.length) return Infinity;
    for (let i = 0; i < values.length; i++) {
      const gap = Math.abs(is[i] - values[i]);
      if (Number.isNaN(gap)) return Infinity; // no comparison with it would ever fail
      difference = Math.max(difference, gap);
      change = Math.max(change, Math.abs(values[i] - was[i]));
    }
  }
  return change === 0 ? (difference === 0 ? 0 : Infinity) : difference / change;
}
