import { digestFile } from "../record/digest_files.ts";
import { type Check, runChecks, type Verdict } from "../layers/checks.ts";
import type { LayerOutcome } from "../layers/layer.ts";
import { type MakingReceipt, merkleRoot, readMakingReceipt } from "../receipt/making_receipt.ts";
import type { Receipt } from "../receipt/receipt.ts";
import { readReceipt } from "../receipt/receipt_file.ts";
import { isSealedBy } from "../receipt/seal.ts";
import { readSplit } from "../../data/split_file.ts";
import { judgeLayers } from "./judge_layers.ts";
import { readClaim } from "./read_claim.ts";

/**
 * Verifies a chain of receipts: of a model, of the kit that was learned from it, and of the requests that
 * the kit and its successors went through, each signed and each about what the one before made.
 *
 * @param paths in that order; the last ones are `receipt.json` of unlearning runs
 * @param publicKey who must have signed them all, in hexadecimal
 * @param split the split, where somebody still has it: its images must be those of the data's root
 */
export async function verifyChain(
  [model, kit, ...runs]: readonly string[],
  publicKey: string | undefined,
  split: string | undefined,
): Promise<LayerOutcome[]> {
  const made = [
    await readClaim(model, readMakingReceipt),
    await readClaim(kit, readMakingReceipt),
  ] as const;
  const receipts: Receipt[] = [];
  for (const run of runs) receipts.push(await readClaim(run, readReceipt));
  const checks: Check[] = [
    ["model -> kit", () => checkKit(...made)],
    ...receipts.map((receipt, i): Check => [
      `${i === 0 ? "kit" : `request ${i}`} -> request ${i + 1}`,
      () => checkRequest(receipt, i === 0 ? made[1].made : after(receipts[i - 1])),
    ]),
    ["signers", () => checkSigners(made, receipts, publicKey)],
    ["data", () => checkData(made[0], split)],
  ];
  return await runChecks(checks);
}

function checkKit(model: MakingReceipt, kit: MakingReceipt): Verdict {
  if (model.step !== "train" || kit.step !== "meta-learn") {
    return ["failed", "the first is to be a model's receipt and the second a kit's"];
  }
  if (kit.from !== model.made.weights) return ["failed", "the kit was learned from another model"];
  if (kit.data.split !== model.data.split || kit.data.root !== model.data.root) {
    return ["failed", "model and kit were made from other data or splits"];
  }
  return ["held", `one data set (root ${model.data.root.slice(0, 16)}..), one split, one model`];
}

const after = ({ kitId, weights }: Receipt) => ({
  kit: kitId?.after ?? null,
  weights: weights.after,
});

function checkRequest(
  receipt: Receipt,
  before: { readonly kit: string | null; readonly weights: string },
): Verdict {
  const { kitId, weights } = receipt;
  if (kitId === undefined) return ["failed", "a receipt of version 1 names no kit by its id"];
  if (weights.before === weights.after) return ["failed", "its weights are those of before"];
  const [state, detail] = judgeLayers(receipt);
  if (state === "failed") return [state, detail];
  if (kitId.before !== before.kit) {
    const left = before.kit === null ? "names none" : `left ${short(before.kit)}`;
    return ["failed", `it began with kit ${short(kitId.before)}, and the one before ${left}`];
  }
  if (weights.before !== before.weights) {
    const [began, left] = [weights.before, before.weights].map(short);
    return ["failed", `it began with weights ${began}, and the one before left ${left}`];
  }
  return ["held", `from kit ${short(kitId.before)} to ${short(kitId.after)}`];
}

/** A hash as people compare it. */
const short = (hash: string) => `${hash.slice(0, 16)}..`;

async function checkSigners(
  made: readonly MakingReceipt[],
  receipts: readonly Receipt[],
  publicKey: string | undefined,
): Promise<Verdict> {
  const signers = [...made, ...receipts].map(({ signer }) => signer);
  const other = signers.findIndex((signer) => publicKey !== undefined && signer !== publicKey);
  if (other >= 0) {
    const signer = signers[other];
    const number = signers.filter((signer) => signer !== publicKey).length;
    const whose = `${["the model's", "the kit's"][other] ?? `request ${other - 1}'s`} receipt is`;
    const by = signer === null ? "unsigned" : `signed with ${short(signer)}`;
    const more = number === 1 ? "" : `, and ${number - 1} more are not by the given key`;
    return ["failed", `${whose} ${by}, the given key is ${short(publicKey!)}${more}`];
  }
  for (const receipt of receipts) {
    if (receipt.signer === null || !await isSealedBy(receipt, receipt.signer)) {
      return ["failed", "a request's receipt is unsigned, or its signature is not its signer's"];
    }
  }
  const who = new Set(signers).size;
  return publicKey === undefined
    ? ["held", `${who} ${who === 1 ? "key" : "keys"}, named by the receipts themselves (--key)`]
    : ["held", "all by the given key"];
}

async function checkData({ data }: MakingReceipt, split: string | undefined): Promise<Verdict> {
  if (split === undefined) return ["absent", "no split is given (--split)"];
  if ((await digestFile(split)).sha256 !== data.split) return ["failed", "it is another split"];
  const { hashes } = await readSplit(split);
  return merkleRoot(hashes) === data.root
    ? ["held", `${Object.keys(hashes).length} images have the root that model and kit name`]
    : ["failed", "its images have another root"];
}
