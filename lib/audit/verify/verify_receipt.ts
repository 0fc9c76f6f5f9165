import { dirname, join } from "@std/path";
import { sha256Hex } from "../../files/sha256.ts";
import { readSplit } from "../../data/split_file.ts";
import { identityKeyPath, readIdentityKey } from "../../model/kit/identity_key.ts";
import { readManifest } from "../../model/kit/stored_manifest.ts";
import { type Check, differing, runChecks, same, type Verdict } from "../layers/checks.ts";
import { REQUEST_TABLE, requestTableHash } from "../receipt/compose_receipt.ts";
import { copiesLayer } from "../layers/copies.ts";
import { digestFile, digestFiles, listTree } from "../record/digest_files.ts";
import type { LayerOutcome, LayerState } from "../layers/layer.ts";
import { judgePermissionLog } from "../record/permission_log.ts";
import {
  type Digest,
  type FileDigest,
  type Receipt,
  RECEIPT_FILE,
  RECEIPT_PAGE,
} from "../receipt/receipt.ts";
import { isSealedBy, readReceipt } from "../receipt/receipt_file.ts";
import { receiptPage } from "../receipt/receipt_page.ts";
import { LIBRARY_PATH } from "../sandbox/driver_folders.ts";
import { judgeTrace, projectFiles } from "../record/trace.ts";
import { NEXT_KEY, PERMISSIONS_LOG, TRACE_LOG } from "../receipt/write_receipt.ts";

/** What a receipt is held against; it and the outputs beside it suffice. */
export interface VerifyOptions {
  /** `receipt.json` in the folder that the run wrote. */
  readonly receipt: string;
  /** Who must have signed it, in hexadecimal. */
  readonly publicKey?: string;
  /** The kit that was read, where it is at hand. */
  readonly kit?: string;
  /** The photographs, where they are handed in again. */
  readonly support?: string;
  /** The kit's key, to tell `requests.csv` by; default beside the kit, where it lies there. */
  readonly identityKey?: string;
  /** The split, to hold the requests' hashes against. */
  readonly split?: string;
}

/** What lies beside the outputs without being one of them: the receipt and what later runs note. */
const BESIDE = [RECEIPT_FILE, RECEIPT_PAGE, NEXT_KEY, "kit.successor.json"];

/**
 * Holds a receipt against its signature and the outputs and evidence beside it. It needs neither network nor training data.
 *
 * @returns the receipt, and one outcome per check
 * @throws {LetheError} the receipt is missing or malformed
 */
export async function verifyReceipt(
  options: VerifyOptions,
): Promise<{ receipt: Receipt; checks: LayerOutcome[] }> {
  const receipt = await readReceipt(options.receipt);
  const folder = dirname(options.receipt);
  const checks: Check[] = [
    ["signature", () => checkSignature(receipt, options.publicKey)],
    ["layers", () => checkLayers(receipt)],
    ["outputs", () => checkOutputs(receipt, folder)],
    ["weights", () => checkWeights(receipt)],
    ["next kit", () => checkNextKit(receipt, join(folder, "kit"))],
    ["evidence", () => checkEvidence(receipt, folder)],
    ["page", () => checkPage(receipt, folder)],
    ["kit", () => checkKit(receipt, options.kit)],
    ["requests", () => checkRequests(receipt, options)],
    ["copies", () => checkCopies(receipt, options.split)],
  ];
  return { receipt, checks: await runChecks(checks) };
}

async function checkSignature(receipt: Receipt, publicKey?: string): Promise<Verdict> {
  const { signer } = receipt;
  if (signer === null) {
    return publicKey === undefined
      ? ["absent", "the receipt is unsigned: whoever held it may have changed it"]
      : ["failed", "the receipt is unsigned, and a signature was asked for"];
  }
  if (publicKey !== undefined && signer !== publicKey) {
    return ["failed", `it names the key ${short(signer)}, not ${short(publicKey)}`];
  }
  if (!await isSealedBy(receipt, signer)) {
    return ["failed", `it is not the signature of ${short(signer)} for what the receipt says`];
  }
  return publicKey === undefined
    ? [
      "held",
      `by ${short(signer)}, the key in the receipt itself: nothing changed since it was signed, ` +
      "but who signed is not shown (--key)",
    ]
    : ["held", `by the given key ${short(signer)}`];
}

function checkLayers({ layers }: Receipt): Verdict {
  const named = (state: LayerState) =>
    layers.filter((layer) => layer.state === state).map(({ layer }) => layer);
  const [held, failed, absent] = [named("held"), named("failed"), named("absent")];
  const without = absent.length === 0 ? "" : `; absent: ${absent.join(", ")}`;
  if (failed.length > 0) return ["failed", `in the run: ${failed.join(", ")}${without}`];
  if (held.length === 0) return ["absent", "no layer held in the run"];
  return ["held", `in the run: ${held.join(", ")}${without}`];
}

async function checkOutputs(receipt: Receipt, folder: string): Promise<Verdict> {
  const differs = await differing(folder, receipt.written);
  if (differs !== undefined) return ["failed", differs];
  const known = new Set(
    [...BESIDE, ...[...receipt.written, ...receipt.evidence].map(({ file }) => file)],
  );
  const stranger = (await listTree(folder)).find((file) => !known.has(file));
  if (stranger !== undefined) return ["failed", `${stranger} lies there and is not in the receipt`];
  return ["held", `${receipt.written.length} files are those that were written`];
}

function checkWeights({ weights, written, kit }: Receipt): Verdict {
  const holds = (files: readonly FileDigest[], file: string, sha256: string) =>
    files.some((entry) => entry.file === file && entry.sha256 === sha256);
  const right = holds(kit, "model.safetensors", weights.before) &&
    holds(written, "model/model.safetensors", weights.after) &&
    holds(written, "kit/model.safetensors", weights.after);
  return right
    ? ["held", `${short(weights.before)} from the kit, ${short(weights.after)} in both outputs`]
    : ["failed", "those named are not those read and written"];
}

async function checkNextKit(receipt: Receipt, folder: string): Promise<Verdict> {
  const { manifest } = await readManifest(folder);
  const used = receipt.kit.find(({ file }) => file === "kit.json")?.sha256;
  if (used === undefined || manifest.parent !== used) {
    return ["failed", "its parent is not the kit that was read"];
  }
  if (manifest.forgotten.length < receipt.requests.length) {
    return ["failed", `it lists ${manifest.forgotten.length} people as forgotten`];
  }
  return ["held", `made from the kit that was read; ${manifest.forgotten.length} people forgotten`];
}

/** The logs must be unchanged, and say again, by the names that the receipt gives places, what they said. */
async function checkEvidence({ evidence, worker }: Receipt, folder: string): Promise<Verdict> {
  if (evidence.length === 0) return ["absent", "the run gathered no logs"];
  const differs = await differing(folder, evidence);
  if (differs !== undefined) return ["failed", differs];
  const read = ["{run}", "{support}", "{kit}", "{out}"];
  const rejudged: LayerOutcome[] = [];
  for (const { file } of evidence) {
    const text = await Deno.readTextFile(join(folder, file));
    const log = { text, sha256: "" };
    if (file === PERMISSIONS_LOG) {
      rejudged.push(judgePermissionLog(log, { read, write: ["{out}"] }));
    } else if (file === TRACE_LOG) {
      const drivers = String(worker.environment[LIBRARY_PATH] ?? "").split(":").filter(Boolean);
      const code = ["{packages}", "{deno}", ...projectFiles("{project}")];
      const allowed = [...read, ...drivers, ...code];
      rejudged.push(judgeTrace(log, { deno: "{deno}", allowed, forbidden: "{training data}" }));
    }
  }
  const failed = rejudged.find(({ state }) => state !== "held");
  if (failed) return ["failed", `${failed.layer}: ${failed.detail}`];
  return ["held", `unchanged; ${rejudged.map(({ layer }) => layer).join(" and ")} hold again`];
}

async function checkPage(receipt: Receipt, folder: string): Promise<Verdict> {
  const page = new TextEncoder().encode(receiptPage(receipt));
  const path = join(folder, RECEIPT_PAGE);
  if (!await isThere(path)) return ["absent", "there is none"];
  return same(await digestFile(path), { sha256: sha256Hex(page), bytes: page.length })
    ? ["held", `${RECEIPT_PAGE} says what ${RECEIPT_FILE} says`]
    : ["failed", `${RECEIPT_PAGE} is not what this Lethe makes of ${RECEIPT_FILE}`];
}

async function checkKit(receipt: Receipt, kit?: string): Promise<Verdict> {
  if (kit === undefined) return ["absent", "not given (--kit)"];
  const differs = await differing(kit, receipt.kit);
  if (differs !== undefined) return ["failed", differs];
  return ["held", `${receipt.kit.length} files are those that were read`];
}

async function checkRequests(receipt: Receipt, options: VerifyOptions): Promise<Verdict> {
  const { support, kit, identityKey } = options;
  if (support === undefined) return ["absent", "not handed in again (--support)"];
  const files = (await listTree(support)).filter((file) => !file.startsWith("."));
  const digests = await digestFiles(support, files);
  const table = digests.find(({ file }) => file === REQUEST_TABLE);
  const { requests, requestTable } = receipt;
  const list = (some: readonly Digest[]) => some.map(({ sha256 }) => sha256).sort().join();
  if (list(digests.filter((entry) => entry !== table)) !== list(requests)) {
    return ["failed", "they are not those of the run"];
  }
  const photographs = `${requests.length} photographs are those of the run`;
  if ((table === undefined) !== (requestTable === null)) {
    return ["failed", `${photographs}, but ${REQUEST_TABLE} is ${table ? "new" : "missing"}`];
  }
  if (table === undefined) return ["held", photographs];
  const keyPath = identityKey ??
    (kit && await isThere(identityKeyPath(kit)) && identityKeyPath(kit));
  if (!keyPath) return ["held", `${photographs}; ${REQUEST_TABLE} unknown without --identity-key`];
  return requestTableHash(await readIdentityKey(keyPath), table.sha256) === requestTable
    ? ["held", `${photographs}, and so is ${REQUEST_TABLE}`]
    : ["failed", `${photographs}, but ${REQUEST_TABLE} is another`];
}

function isThere(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}

async function checkCopies(receipt: Receipt, split?: string): Promise<Verdict> {
  if (split === undefined) return ["absent", "no split is given (--split)"];
  const { requests } = receipt;
  if (receipt.split && !same(await digestFile(split), receipt.split)) {
    return ["failed", "it is not the split of the run"];
  }
  const hashes = requests.map(({ sha256 }) => sha256);
  const { state, detail } = copiesLayer(hashes, { split: await readSplit(split) });
  return [state, detail];
}

function short(hash: string): string {
  return `${hash.slice(0, 16)}..`;
}
