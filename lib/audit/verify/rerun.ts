import { dirname, join } from "@std/path";
import { withTemporaryPath } from "../../files/temporary_path.ts";
import { MODEL_FILE, readModel } from "../../model/checkpoint.ts";
import { readManifest } from "../../model/kit/stored_manifest.ts";
import { canonicalJson } from "../../files/canonical_json.ts";
import { parseJsonObject } from "../../files/json_fields.ts";
import { integer, oneOf } from "../../files/json_kinds.ts";
import { readPlainText } from "../../files/plain_file.ts";
import { parseSummary, SUMMARY_FILE } from "../../run/summary_file.ts";
import type { UnlearnSummary } from "../../run/unlearn_summary.ts";
import type { HashedFile } from "../sandbox/contained_run.ts";
import { KIT_METHODS, type MethodName, methodOf } from "../../unlearn/methods.ts";
import { kindOf } from "../../unlearn/methods/method.ts";
import type { Verdict } from "../layers/checks.ts";
import type { SandboxChoice } from "../sandbox/sandbox_choice.ts";
import type { Receipt } from "../receipt/receipt.ts";
import { launcherCache } from "../sandbox/launcher_cache.ts";
import { temporaryFolder } from "../sandbox/run_folder.ts";
import { unlearnContained } from "../sandbox/unlearn_contained.ts";
import { otherField } from "./check_next_kit.ts";
import { compareWeights, NEAR } from "./compare_weights.ts";
import { MEMORY, type UnlearnSettings } from "../sandbox/job.ts";

/** What a run is repeated with; it writes nothing that stays. */
export interface RerunOptions {
  /** `receipt.json`, with the outputs beside it. */
  readonly receiptPath: string;
  /** The new model's folder; default `model` beside the receipt. */
  readonly model?: string;
  readonly kit: string;
  readonly support: string;
  readonly identityKey?: string;
  readonly sandbox: SandboxChoice;
  /** `auto` computes where the receipt's run did, if it can. */
  readonly settings: UnlearnSettings;
  readonly onLine?: (line: string) => void;
}

/**
 * Repeats a receipt's run in a contained worker and compares the weights: on the same adapter, as the
 * launcher names it, they are the same bit for bit or the check has failed; on another they are near, by
 * {@link NEAR}, which never is `held`: what the bits below that hold was not shown.
 *
 * @throws LetheError an input is refused, or the run fails
 */
export async function rerun(receipt: Receipt, options: RerunOptions): Promise<Verdict> {
  const { receiptPath, model = join(dirname(receiptPath), "model"), ...run } = options;
  const folder = await temporaryFolder("lethe-rerun-", await launcherCache());
  return await withTemporaryPath(folder, async (): Promise<Verdict> => {
    const out = join(folder, "again");
    const settings = settingsOf(receipt, options.settings);
    // As with the sample: the kit has been used already, and this use leaves no trace.
    const again = await unlearnContained({ ...run, settings, out, sample: true });
    const { summary, adapter } = again;
    const sameCode = receipt.version > 1;
    // Whatever the adapter, all but the weights is passed on or cut out of the kit as it is.
    const other = sameCode
      ? otherOutput(receipt, again.written) ?? await otherNextKit(dirname(receiptPath), out)
      : null;
    if (other !== null) return ["failed", `${other} is not what the run makes of this kit`];
    if (summary.weights.after === receipt.weights.after) {
      const told = sameCode ? await otherSummary(receiptPath, summary) : null;
      const same = `the same weights and next kit, bit for bit, on ${adapter}`;
      if (told === "absent") return ["held", `${same}; ${SUMMARY_FILE} is not at hand`];
      return told === null
        ? ["held", same]
        : ["failed", `the same weights, but ${SUMMARY_FILE} has another ${told}`];
    }
    if (adapter === receipt.adapter && sameCode) {
      return ["failed", `other weights on the same adapter, ${adapter}`];
    }
    const [before, then, now] = await Promise.all(
      [options.kit, model, join(out, "model")].map(readModel),
    );
    const { near, rms, most, tensor } = compareWeights(before.theta, then.theta, now.theta);
    const where = sameCode
      ? `on ${adapter} for ${receipt.adapter}`
      : "by this Lethe for an older one";
    const apart = `${where}: tensors differ by ${rms.toExponential(1)} (root mean square) and ` +
      `${most.toExponential(1)} (largest) of their own changes at most, ${tensor} the most`;
    return near
      ? ["near", `${apart}; not shown: that what lies below that holds nothing`]
      : ["failed", `${apart}; ${NEAR.rms} and ${NEAR.most} are allowed`];
  });
}

/** Files that hold weights, or hashes of these. */
const OF_WEIGHTS = ["model/model.safetensors", "kit/model.safetensors", "kit/kit.json"];

/** The first file of model and next kit, weights aside, that the run does not have or has otherwise. */
function otherOutput(receipt: Receipt, written: readonly HashedFile[]): string | null {
  const of = (file: string) => /^(?:model|kit)\//.test(file) && !OF_WEIGHTS.includes(file);
  const then = new Map(receipt.written.map(({ file, sha256 }) => [file, sha256]));
  const now = new Map(written.map(({ path, sha256 }) => [path, sha256]));
  // Where the weights are the same, so is what names them.
  const same = OF_WEIGHTS.slice(0, 2).every((file) => then.get(file) === now.get(file));
  const files = [...new Set([...then.keys(), ...now.keys()])];
  // What names the others comes last.
  const due = [...files.filter(of), ...same ? OF_WEIGHTS : []];
  return due.find((file) => then.get(file) !== now.get(file)) ?? null;
}

/**
 * What of the next kit's own text is another, but for the hashes of weights: near is of weights alone, and a
 * kit that forgets the next person otherwise is not near.
 */
async function otherNextKit(then: string, now: string): Promise<string | null> {
  const path = join(then, "kit");
  if (!await Deno.lstat(path).then(() => true, () => false)) return null; // a pack holds none
  const [was, is] = await Promise.all([path, join(now, "kit")].map(async (kit) => {
    const { manifest } = await readManifest(kit);
    const files = manifest.files
      .map((entry) => entry.file === MODEL_FILE ? { ...entry, sha256: "" } : entry);
    return { ...manifest, files };
  }));
  const other = otherField(was, is);
  return other === null ? null : `kit/kit.json, in ${other},`;
}

/** The first field of the run's summary that is another; photographs are not matched again. */
async function otherSummary(receiptPath: string, now: UnlearnSummary): Promise<string | null> {
  const path = join(dirname(receiptPath), SUMMARY_FILE);
  const remedy = "use what the run wrote";
  // A pack holds none; what is in a receipt of it was held against the receipt already.
  if (!await Deno.lstat(path).then(() => true, () => false)) return "absent";
  const text = await readPlainText(path, { maxBytes: 2 ** 26, remedy });
  const then = parseSummary(parseJsonObject(text, path, remedy), path, remedy);
  // What a step's length was held against hangs on what was set, and a rerun sets everything.
  const compared = ({ match: _, change: { relative, norms }, ...others }: UnlearnSummary) => ({
    ...others,
    change: { relative, norms },
  });
  const [was, is] = [compared(then), compared(now)];
  const names = Object.keys({ ...was, ...is }) as (keyof typeof was)[];
  return names.find((name) => canonicalJson(was[name]) !== canonicalJson(is[name])) ?? null;
}

/** The run's own settings; the device is another where one is asked for. */
function settingsOf(receipt: Receipt, given: UnlearnSettings): UnlearnSettings {
  const { microBatch, memoryLimit, method, seed } = receipt.settings;
  const onWasm = given.device === "auto" && receipt.adapter.startsWith("WASM");
  return {
    microBatch: integer(1, 4096).accepts(microBatch) ? microBatch : given.microBatch,
    ...(MEMORY.accepts(memoryLimit) ? { memoryLimit } : {}),
    // Whatever the run allowed, its step is compared all the same.
    allowUnusualStep: true,
    matchCheck: false,
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
