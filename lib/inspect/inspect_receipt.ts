import type { Receipt } from "../audit/receipt/receipt.ts";
import { RECEIPT_FILE } from "../audit/receipt/receipt.ts";
import { readPack } from "../audit/receipt/pack.ts";
import { parseReceipt, peopleOf, readReceipt } from "../audit/receipt/receipt_file.ts";
import { counted, type Inspected, some } from "./inspected.ts";

/** A receipt, as it reads; `audit --verify` holds it against the files. @throws {LetheError} damaged */
export async function inspectReceipt(path: string): Promise<Inspected> {
  return describeReceipt(await readReceipt(path), path);
}

/** A pack: the receipt in it, and what lies beside that. @throws {LetheError} it is none, or damaged */
export async function inspectPack(path: string): Promise<Inspected> {
  const files = await readPack(path);
  const text = new TextDecoder().decode(files.get(RECEIPT_FILE));
  const { rows, notes, value } = describeReceipt(parseReceipt(text, path), path);
  const names = [...files.keys()];
  return {
    kind: "pack",
    path,
    rows: [["holds", some(names, 20)], ...rows],
    notes,
    value: { kind: "pack", files: names, receipt: value },
  };
}

function describeReceipt(receipt: Receipt, path: string): Inspected {
  const layers = receipt.layers.map(({ layer, state }) => `${layer} ${state}`);
  const failed = receipt.layers.filter(({ state }) => state === "failed");
  return {
    kind: "receipt",
    path,
    rows: [
      ["run", `${receipt.started} to ${receipt.ended}`],
      [
        "requests",
        `${counted(receipt.requests.length, "photograph", "photographs")} of ` +
        counted(peopleOf(receipt), "person", "people"),
      ],
      ["labels", `of ${receipt.targets}`],
      [
        "weights",
        `${receipt.weights.before.slice(0, 16)}.. to ${receipt.weights.after.slice(0, 16)}..`,
      ],
      ["adapter", receipt.adapter],
      ["wall", receipt.worker.containment],
      ["layers", some(layers, 20)],
      ["signature", receipt.signature === null ? "none" : `of ${receipt.signer}`],
    ],
    notes: [
      ...failed.map(({ layer, detail }) => `the layer ${layer} failed: ${detail}`),
      "nothing is verified here: deno task audit --verify does that",
    ],
    value: { ...receipt, kind: "receipt" },
  };
}
