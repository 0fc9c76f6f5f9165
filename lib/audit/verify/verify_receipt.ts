import { basename, dirname, join } from "@std/path";
import { canonicalJson } from "../../files/canonical_json.ts";
import { parseJsonObject } from "../../files/json_fields.ts";
import { readPlainText } from "../../files/plain_file.ts";
import { earlierUsesPath, usesPath } from "../../model/kit/uses_record.ts";
import { encodeSummary, parseSummary, SUMMARY_FILE } from "../../run/summary_file.ts";
import { isWeakKey } from "../receipt/signing_key.ts";
import { judgeLayers } from "./judge_layers.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { isLeftover } from "../../data/layouts/find_layout.ts";
import { readSplit } from "../../data/split_file.ts";
import { identityKeyPath, readIdentityKey } from "../../model/kit/identity_key.ts";
import { readManifest } from "../../model/kit/stored_manifest.ts";
import { type Check, differing, runChecks, same, type Verdict } from "../layers/checks.ts";
import { requestTableHash } from "../receipt/compose_receipt.ts";
import { REQUEST_TABLE } from "../sandbox/contained_run.ts";
import { copiesLayer } from "../layers/copies.ts";
import { declaredCopies } from "../receipt/declared_limits.ts";
import { digestFile, digestFiles, listTree } from "../record/digest_files.ts";
import type { LayerOutcome } from "../layers/layer.ts";
import { judgePermissionLog } from "../record/permission_log.ts";
import {
  type Digest,
  type FileDigest,
  type Receipt,
  RECEIPT_BUNDLE,
  RECEIPT_FILE,
  RECEIPT_PAGE,
} from "../receipt/receipt.ts";
import { isSealedBy, peopleOf, readReceipt, receiptBundle } from "../receipt/receipt_file.ts";
import { receiptPage } from "../receipt/receipt_page.ts";
import { LIBRARY_PATH } from "../sandbox/driver_folders.ts";
import { judgeTrace, projectFiles } from "../record/trace.ts";
import { MODEL_HASHES, modelHashes } from "../receipt/pack.ts";
import { PERMISSIONS_LOG, TRACE_LOG } from "../receipt/write_receipt.ts";

/** What a receipt is held against; it and the outputs beside it suffice. */
export interface VerifyOptions {
  /** `receipt.json` in the folder that the run wrote, or in what an auditor was handed of it. */
  readonly receipt: string;
  /** The new model's folder; default `model` beside the receipt. */
  readonly model?: string;
  /** Who must have signed it, in hexadecimal. */
  readonly publicKey?: string;
  /** The kit that was read, where it is at hand. */
  readonly kit?: string;
  /** The photographs, where they are handed in again. */
  readonly support?: string;
  /** The kit's key, to tell `requests.csv` by; default beside the kit, where it lies there. */
  readonly identityKey?: string;
  /** What the auditor asked the run to carry, in hexadecimal. */
  readonly nonce?: string;
  /** The split, to hold the requests' hashes against. */
  readonly split?: string;
}

/** What lies beside the outputs without being one of them: the receipt and what later runs note. */
const BESIDE = [
  ...[RECEIPT_FILE, RECEIPT_PAGE, RECEIPT_BUNDLE, MODEL_HASHES],
  // In outputs of before the key stayed beside the first kit.
  identityKeyPath("kit"),
  ...[basename(usesPath("kit")), basename(earlierUsesPath("kit"))],
];

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
    ["layers", () => judgeLayers(receipt)],
    ["outputs", () => checkOutputs(receipt, folder, options.model)],
    ["weights", () => checkWeights(receipt)],
    ["change", () => checkChange(receipt)],
    ["summary", () => checkSummary(receipt, join(folder, SUMMARY_FILE))],
    ["next kit", () => checkNextKit(receipt, join(folder, "kit"))],
    ["evidence", () => checkEvidence(receipt, folder)],
    ["page", () => checkPage(receipt, folder)],
    ["bundle", () => checkBundle(receipt, folder)],
    ["nonce", () => checkNonce(receipt, options.nonce)],
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
  if (isWeakKey(signer)) {
    return ["failed", `${short(signer)} is a weak key: anybody's signature fits it`];
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

/**
 * Of an output folder every file must be there. An auditor may have been handed the receipt without the
 * next kit, or the model alone: then what is here must be right, and what is not is told.
 */
async function checkOutputs(receipt: Receipt, folder: string, model?: string): Promise<Verdict> {
  const isOf = (part: string) => ({ file }: FileDigest) => file.startsWith(`${part}/`);
  const besides = await Promise.all(["model", "kit"].map((part) => isThere(join(folder, part))));
  const whole = besides.every((there) => there);
  const due = receipt.written.filter((entry) =>
    whole || besides[0] && isOf("model")(entry) || besides[1] && isOf("kit")(entry)
  );
  const differs = await differing(folder, due) ??
    (model === undefined ? undefined : await differing(
      model,
      receipt.written.filter(isOf("model")).map(({ file, ...digest }) => ({
        file: file.slice("model/".length),
        ...digest,
      })),
    ));
  if (differs !== undefined) return ["failed", differs];
  const hashes = join(folder, MODEL_HASHES);
  if (
    await isThere(hashes) &&
    await readPlainText(hashes, { maxBytes: 2 ** 20 }) !== modelHashes(receipt)
  ) {
    return ["failed", `${MODEL_HASHES} has other hashes than the receipt`];
  }
  const known = new Set(
    [...BESIDE, ...[...receipt.written, ...receipt.evidence].map(({ file }) => file)],
  );
  const stranger = (await listTree(folder)).find((file) => !known.has(file));
  if (stranger !== undefined) return ["failed", `${stranger} lies there and is not in the receipt`];
  const seen = due.length +
    (model === undefined ? 0 : receipt.written.filter(isOf("model")).length);
  if (seen === 0) {
    return ["absent", "none of them is here (--model DIR holds the model against it)"];
  }
  return [
    "held",
    `${seen} files are those that were written` +
    (whole ? "" : `; the others of ${receipt.written.length} are not here`),
  ];
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

/** The weights must have moved, to finite numbers, as far as the receipt says. */
function checkChange({ weights, change }: Receipt): Verdict {
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

/** The summary must have Lethe's fields, in Lethe's text, and say what the receipt says. */
async function checkSummary(receipt: Receipt, path: string): Promise<Verdict> {
  if (receipt.version === 1) return ["absent", "version 1's is not held against its receipt"];
  const isPart = !await isThere(path) && !await isThere(join(dirname(path), "kit"));
  if (isPart) return ["absent", "it is not here"];
  const text = await readPlainText(path, { maxBytes: 2 ** 26 });
  const remedy = "use what the run wrote";
  const summary = parseSummary(parseJsonObject(text, path, remedy), path, remedy);
  if (encodeSummary(summary) !== text) return ["failed", "it has more to it than its fields"];
  const said = ({ change, targets, weights }: Pick<Receipt, "change" | "targets" | "weights">) =>
    canonicalJson({ change, targets, weights });
  const same = said(summary) === said(receipt) && summary.people === peopleOf(receipt) &&
    summary.photographs <= receipt.requests.length &&
    canonicalJson(summary.kit) === canonicalJson(receipt.kitId) &&
    Object.entries(summary.settings).every(([name, value]) => receipt.settings[name] === value);
  return same
    ? ["held", `${SUMMARY_FILE} has the fields of a summary and says what ${RECEIPT_FILE} says`]
    : ["failed", `${SUMMARY_FILE} says something else than ${RECEIPT_FILE}`];
}

async function checkNextKit(receipt: Receipt, folder: string): Promise<Verdict> {
  if (!await isThere(folder)) return ["absent", "it is not here"];
  const { manifest, id } = await readManifest(folder);
  // In version 1 a kit's id was the hash of its kit.json.
  const { before = receipt.kit.find(({ file }) => file === "kit.json")?.sha256, after = id } =
    receipt.kitId ?? {};
  if (before === undefined || manifest.parent !== before) {
    return ["failed", "its parent is not the kit that was read"];
  }
  if (id !== after) return ["failed", `its id is ${short(id)}, not ${short(after)}`];
  if (manifest.forgotten.length < peopleOf(receipt)) {
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
  const path = join(folder, RECEIPT_PAGE);
  if (!await isThere(path)) return ["absent", "there is none"];
  if (receipt.version === 1) {
    return [
      "absent",
      "an older Lethe made it: check out commit 4832d1b to hold it against the receipt",
    ];
  }
  const page = new TextEncoder().encode(receiptPage(receipt));
  return same(await digestFile(path), { sha256: sha256Hex(page), bytes: page.length })
    ? ["held", `${RECEIPT_PAGE} says what ${RECEIPT_FILE} says`]
    : ["failed", `${RECEIPT_PAGE} is not what this Lethe makes of ${RECEIPT_FILE}`];
}

/** What other tools verify must be what this receipt says. */
async function checkBundle(receipt: Receipt, folder: string): Promise<Verdict> {
  const path = join(folder, RECEIPT_BUNDLE);
  const due = receiptBundle(receipt);
  if (!await isThere(path)) {
    const why = receipt.signature === null ? ", as nobody signed" : "";
    return ["absent", `there is none${receipt.version === 1 ? ": version 1 had none" : why}`];
  }
  const found = await readPlainText(path, { maxBytes: 2 ** 28 });
  return found === due
    ? ["held", `${RECEIPT_BUNDLE} states and signs what ${RECEIPT_FILE} does`]
    : ["failed", `${RECEIPT_BUNDLE} is not the bundle of ${RECEIPT_FILE}`];
}

function checkNonce({ auditorNonce = null }: Receipt, nonce?: string): Verdict {
  if (nonce === undefined) {
    return auditorNonce === null
      ? ["absent", "the run was given none (--nonce): when it was is the operator's word"]
      : ["absent", `the run was given ${auditorNonce}; --nonce holds it against yours`];
  }
  if (auditorNonce === nonce) return ["held", "the run was given it, and is not older"];
  return ["failed", auditorNonce === null ? "the run was given none" : "the run was given another"];
}

async function checkKit(receipt: Receipt, kit?: string): Promise<Verdict> {
  if (kit === undefined) return ["absent", "not given (--kit)"];
  const differs = await differing(kit, receipt.kit);
  if (differs !== undefined) return ["failed", differs];
  const { id } = await readManifest(kit);
  if (receipt.kitId !== undefined && id !== receipt.kitId.before) {
    return ["failed", `its id is ${short(id)}, not ${short(receipt.kitId.before)}`];
  }
  return ["held", `${receipt.kit.length} files are those that were read`];
}

async function checkRequests(receipt: Receipt, options: VerifyOptions): Promise<Verdict> {
  const { support, kit, identityKey } = options;
  if (support === undefined) return ["absent", "not handed in again (--support)"];
  const files = (await listTree(support))
    .filter((file) => !file.split("/").some(isLeftover));
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
  const outcome = copiesLayer(hashes, { split: await readSplit(split) });
  const { state, detail } = receipt.settings.allowTrainingPhoto === true
    ? declaredCopies(outcome)
    : outcome;
  return [state, detail];
}

function short(hash: string): string {
  return `${hash.slice(0, 16)}..`;
}
