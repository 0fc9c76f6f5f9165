import { dirname, join } from "@std/path";
import { isLeftover } from "../../data/layouts/find_layout.ts";
import { readSplit } from "../../data/split_file.ts";
import { identityKeyPath, readIdentityKey } from "../../model/kit/identity_key.ts";
import { readManifest } from "../../model/kit/stored_manifest.ts";
import { SUMMARY_FILE } from "../../run/summary_file.ts";
import {
  type Check,
  differing,
  holds,
  isThere,
  runChecks,
  same,
  short,
  type Verdict,
} from "../layers/checks.ts";
import { copiesLayer } from "../layers/copies.ts";
import type { LayerOutcome } from "../layers/layer.ts";
import { requestTableHash } from "../receipt/compose_receipt.ts";
import { declaredCopies } from "../receipt/declared_limits.ts";
import { type Digest, type Receipt, RECEIPT_FILE } from "../receipt/receipt.ts";
import { encodeReceipt, readReceipt } from "../receipt/receipt_file.ts";
import { isSealedBy } from "../receipt/seal.ts";
import { statedLimits } from "../receipt/stated.ts";
import { isWeakKey } from "../receipt/signing_key.ts";
import { digestFile, digestFiles, listTree } from "../record/digest_files.ts";
import { REQUEST_TABLE } from "../sandbox/contained_run.ts";
import { checkBundle, checkEvidence, checkPage } from "./check_evidence.ts";
import { checkChange } from "./check_change.ts";
import { checkNextKit } from "./check_next_kit.ts";
import { checkOutputs, checkSummary, checkWeights } from "./check_outputs.ts";
import { judgeLayers } from "./judge_layers.ts";
import { readClaim } from "./read_claim.ts";

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

/**
 * Holds a receipt against its signature and the outputs and evidence beside it. It needs neither
 * network nor training data.
 *
 * @returns the receipt, and one outcome per check
 * @throws {LetheError} the receipt is missing; or it is malformed, with exit code 3
 */
export async function verifyReceipt(
  options: VerifyOptions,
): Promise<{ receipt: Receipt; checks: LayerOutcome[] }> {
  const receipt = await readClaim(options.receipt, readReceipt);
  const folder = dirname(options.receipt);
  const checks: Check[] = [
    ["signature", () => checkSignature(receipt, options)],
    ["layers", () => judgeLayers(receipt)],
    ["outputs", () => checkOutputs(receipt, options.receipt, options.model)],
    ["weights", () => checkWeights(receipt)],
    ["change", () => checkChange(receipt, { folder, kit: options.kit, model: options.model })],
    ["summary", () => checkSummary(receipt, join(folder, SUMMARY_FILE))],
    ["next kit", () => checkNextKit(receipt, join(folder, "kit"), options.kit)],
    ["evidence", () => checkEvidence(receipt, folder)],
    ["page", () => checkPage(receipt, folder)],
    ["bundle", () => checkBundle(receipt, folder)],
    ["nonce", () => checkNonce(receipt, options.nonce)],
    ["kit", () => checkKit(receipt, options.kit)],
    ["requests", () => checkRequests(receipt, options)],
    ["copies", () => checkCopies(receipt, options.split)],
  ];
  const stated = statedLimits(receipt);
  if (stated.length > 0) checks.push(["stated", () => ["near", stated.join("; ")]]);
  return { receipt, checks: await runChecks(checks) };
}

async function checkSignature(
  receipt: Receipt,
  { receipt: path, publicKey }: VerifyOptions,
): Promise<Verdict> {
  const { signer } = receipt;
  // A signature is of what the receipt says, not of how: spaces or the fields' order could say more.
  if (receipt.version > 1 && !await holds(path, encodeReceipt(receipt))) {
    return [
      "failed",
      `${RECEIPT_FILE} has spaces, or fields in an order, or other bytes, as Lethe writes none`,
    ];
  }
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

async function checkCopies(receipt: Receipt, split?: string): Promise<Verdict> {
  if (split === undefined) {
    const declared = receipt.settings.allowTrainingPhoto === true
      ? "the operator declares that photographs of the data set are among the requests; "
      : "";
    return ["absent", `${declared}no split is given (--split)`];
  }
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
