import { join } from "@std/path";
import { canonicalJson } from "../../files/canonical_json.ts";
import { readModel } from "../../model/checkpoint.ts";
import type { StepRange } from "../../model/kit/kit_manifest.ts";
import { readManifest } from "../../model/kit/stored_manifest.ts";
import { weightChange } from "../../model/weight_change.ts";
import { usualRange } from "../../unlearn/judge_step.ts";
import { isThere, type Verdict } from "../layers/checks.ts";
import type { Receipt } from "../receipt/receipt.ts";
import { peopleOf } from "../receipt/receipt_file.ts";

/** Where what a receipt says of the weights' change can be looked up. */
export interface ChangePlaces {
  /** The output's folder. */
  readonly folder: string;
  /** The new model's folder; default `model` in it. */
  readonly model?: string | undefined;
  /** The kit that was read, where it is at hand. */
  readonly kit?: string | undefined;
}

/**
 * The weights must have moved, to finite numbers, as far as the receipt says: by the weights themselves where
 * the kit is at hand, and held against the range that the kit, or the next one, has of its method.
 */
export async function checkChange(receipt: Receipt, places: ChangePlaces): Promise<Verdict> {
  const { weights, change } = receipt;
  if (weights.before === weights.after) {
    return ["failed", "the weights are those of before: nobody was forgotten"];
  }
  if (change === undefined) {
    return ["absent", "a receipt of version 1 does not tell how far they moved"];
  }
  const { relative, norms, unusual, low, high } = change;
  const moved = Object.values(norms).filter((norm) => norm > 0).length;
  if (!(relative > 0) || moved === 0) return ["failed", "no tensor moved: nobody was forgotten"];
  const share = `by ${relative.toExponential(1)} of their size, ${moved} tensors of ${
    Object.keys(norms).length
  }`;
  if (unusual && receipt.settings.allowUnusualStep !== true) {
    return ["failed", `${share}: unusual, and no --allow-unusual-step took it`];
  }
  const found = await measured(places);
  if (found !== null && canonicalJson(found) !== canonicalJson({ relative, norms })) {
    return [
      "failed",
      `${share}: the weights themselves moved by ${found.relative.toExponential(1)}`,
    ];
  }
  const due = await kitsRange(receipt, places);
  if (due !== undefined && (due.low !== low || due.high !== high)) {
    return ["failed", `${share}: the kit's range, and so what is usual, is another than it names`];
  }
  if (unusual === null) return ["held", `${share}; the kit has no range to hold that against`];
  if (low === undefined || high === undefined) {
    return unusual
      ? ["held", `${share}; that is next to nothing, and --allow-unusual-step took it`]
      : ["failed", "it names no range"];
  }
  const range = `${low.toExponential(1)} to ${high.toExponential(1)}`;
  if ((relative < low || relative > high) !== unusual) {
    return ["failed", `${share}: the receipt misstates that against ${range}`];
  }
  return unusual
    ? ["held", `${share}; unusual (${range} is not), and --allow-unusual-step took it`]
    : ["held", `${share}, within ${range}, what is usual`];
}

/** How far the weights at hand are from the kit's; null where one of them is not. */
async function measured({ folder, model = join(folder, "model"), kit }: ChangePlaces) {
  if (kit === undefined || !await isThere(model)) return null;
  const [before, after] = await Promise.all([kit, model].map(readModel));
  const { relative, norms } = weightChange(before.theta, after.theta);
  return { relative, norms };
}

/** What is usual for the run's method, by a kit at hand; undefined where none has a range of it. */
async function kitsRange(receipt: Receipt, { folder, kit }: ChangePlaces) {
  const next = join(folder, "kit");
  const place = kit ?? (await isThere(next) ? next : undefined);
  if (place === undefined) return undefined;
  const { manifest: { stepRanges, unlearning } } = await readManifest(place);
  const range: StepRange | undefined = stepRanges?.[String(receipt.settings.method)];
  return range && usualRange(range, Math.ceil(peopleOf(receipt) / unlearning.requestSize));
}
