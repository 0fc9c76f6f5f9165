import { join } from "@std/path";
import { differing, holds, isThere, type Verdict } from "../layers/checks.ts";
import type { LayerOutcome } from "../layers/layer.ts";
import { type Receipt, RECEIPT_BUNDLE, RECEIPT_FILE, RECEIPT_PAGE } from "../receipt/receipt.ts";
import { receiptBundle } from "../receipt/seal.ts";
import { receiptPage } from "../receipt/receipt_page.ts";
import { PERMISSIONS_LOG, TRACE_LOG } from "../receipt/write_receipt.ts";
import { judgePermissionLog } from "../record/permission_log.ts";
import { judgeTrace, projectFiles } from "../record/trace.ts";
import { readablePlaces } from "./judge_worker.ts";
import { LIBRARY_PATH } from "../sandbox/driver_folders.ts";

/** The logs must be unchanged, and say again, by the names that the receipt gives places, what they said. */
export async function checkEvidence(
  receipt: Receipt,
  folder: string,
): Promise<Verdict> {
  const { evidence, worker } = receipt;
  if (evidence.length === 0) return ["absent", "the run gathered no logs"];
  const strange = evidence.find(({ file }) => file !== PERMISSIONS_LOG && file !== TRACE_LOG);
  if (strange !== undefined) return ["failed", `${strange.file} is no log that a run leaves`];
  const differs = await differing(folder, evidence);
  if (differs !== undefined) return ["failed", differs];
  const read = readablePlaces(receipt);
  const rejudged: LayerOutcome[] = [];
  for (const { file } of evidence) {
    const text = await Deno.readTextFile(join(folder, file));
    const log = { text, sha256: "" };
    if (file === PERMISSIONS_LOG) {
      rejudged.push(judgePermissionLog(log, { read, write: ["{out}"] }));
    } else if (file === TRACE_LOG) {
      const drivers = String(worker.environment[LIBRARY_PATH] ?? "").split(":").filter(Boolean);
      const code = ["{packages}", "{deno}", ...projectFiles("{project}")];
      const allowed = [...read, "{run}", ...drivers, ...code];
      rejudged.push(judgeTrace(log, { deno: "{deno}", allowed, forbidden: "{training data}" }));
    }
  }
  const failed = rejudged.find(({ state }) => state !== "held");
  if (failed) return ["failed", `${failed.layer}: ${failed.detail}`];
  return ["held", `unchanged; ${rejudged.map(({ layer }) => layer).join(" and ")} hold again`];
}

/** The page must be what this Lethe makes of the receipt. */
export async function checkPage(receipt: Receipt, folder: string): Promise<Verdict> {
  const path = join(folder, RECEIPT_PAGE);
  if (!await isThere(path)) return ["absent", "there is none"];
  if (receipt.version === 1) {
    return [
      "absent",
      "an older Lethe made it: check out commit 4832d1b to hold it against the receipt",
    ];
  }
  return await holds(path, receiptPage(receipt))
    ? ["held", `${RECEIPT_PAGE} says what ${RECEIPT_FILE} says`]
    : ["failed", `${RECEIPT_PAGE} is not what this Lethe makes of ${RECEIPT_FILE}`];
}

/** What other tools verify must be what this receipt says. */
export async function checkBundle(receipt: Receipt, folder: string): Promise<Verdict> {
  const path = join(folder, RECEIPT_BUNDLE);
  const due = receiptBundle(receipt);
  if (!await isThere(path)) {
    const why = receipt.signature === null ? ", as nobody signed" : "";
    return ["absent", `there is none${receipt.version === 1 ? ": version 1 had none" : why}`];
  }
  return due !== null && await holds(path, due)
    ? ["held", `${RECEIPT_BUNDLE} states and signs what ${RECEIPT_FILE} does`]
    : ["failed", `${RECEIPT_BUNDLE} is not the bundle of ${RECEIPT_FILE}`];
}
