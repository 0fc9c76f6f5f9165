import { basename, dirname } from "@std/path";
import { readMakingReceipt } from "../audit/receipt/making_receipt.ts";
import { isPackName } from "../audit/receipt/pack.ts";
import { LetheError } from "../error.ts";
import { parseJsonObject } from "../files/json_fields.ts";
import { readPlainText } from "../files/plain_file.ts";
import { endsOf, readRecords } from "../model/kit/uses_record.ts";
import { inspectLedger } from "./inspect_ledger.ts";
import { inspectKnown } from "./known_files.ts";
import { inspectJson, inspectList } from "./known_json.ts";
import { inspectPack, inspectReceipt } from "./inspect_receipt.ts";
import { inspectSmallFile } from "./inspect_small_file.ts";
import { inspectSplit } from "./inspect_split.ts";
import { counted, type Inspected, some } from "./inspected.ts";

/** What there is to inspect. */
export const INSPECTED_RULE =
  "a data set, requests, a split, a model, a kit, an output folder, a receipt, a pack, a ledger, a " +
  "benchmark grid or a key is inspected";
const MAX_JSON_BYTES = 256 * 2 ** 20;
const REMEDY = "name a split, a receipt, or a folder";

/** A file by its name or what it holds. @throws {LetheError} it is nothing of Lethe's, or damaged */
export async function inspectFile(path: string): Promise<Inspected> {
  if (isPackName(path)) return await inspectPack(path);
  if (/\.(?:successor\.json|uses\.jsonl)$/.test(path)) return await inspectUses(path);
  if (basename(path) === "ledger.jsonl") return await inspectLedger(dirname(path));
  if (!path.endsWith(".json")) {
    const found = await inspectKnown(path, "file") ?? await inspectSmallFile(path);
    if (found !== null) return found;
    throw new LetheError(`${path} is a file`, INSPECTED_RULE, REMEDY);
  }
  const text = await readPlainText(path, { maxBytes: MAX_JSON_BYTES });
  const list = /^\s*\[/.test(text) ? inspectList(path, text) : null;
  if (list !== null) return list;
  const fields = parseJsonObject(text, path, REMEDY);
  if ("identities" in fields && "hashes" in fields) return await inspectSplit(path);
  if ("signature" in fields && "requests" in fields) return await inspectReceipt(path);
  if ("signature" in fields && "made" in fields) return await inspectMaking(path);
  if ("dsseEnvelope" in fields) {
    return {
      kind: "bundle",
      path,
      rows: [["what", "a signed receipt as a sigstore bundle, for other tools"]],
      notes: [
        "the receipt.json beside it says the same: deno task audit --verify holds them together",
      ],
      value: { kind: "bundle" },
    };
  }
  const found = await inspectKnown(path, "file") ?? inspectJson(path, fields);
  if (found !== null) return found;
  throw new LetheError(`${path} is neither a split nor a receipt`, INSPECTED_RULE, REMEDY);
}

/** What train or meta-learn signed. @throws {LetheError} damaged, or not what its signer signed */
async function inspectMaking(path: string): Promise<Inspected> {
  const receipt = await readMakingReceipt(path);
  const { step, made, from, data, ended, signer } = receipt;
  const short = (hash: string) => `${hash.slice(0, 16)}..`;
  return {
    kind: "receipt of a model or kit",
    path,
    rows: [
      ["what", step === "train" ? "a model that train made" : "a kit that meta-learn made"],
      ["ended", String(ended)], // of a signer, who may be anybody
      ["weights", made.weights],
      ...(made.kit === null ? [] : [["kit", made.kit] as const]),
      ...(from === null ? [] : [["from the model", short(from)] as const]),
      ["split", short(data.split)],
      ["signature", `of ${signer}, over all that it says`],
    ],
    notes: ["nothing is held against files here: deno task audit --chain does that"],
    value: { ...receipt, kind: "receipt of a model or kit" },
  };
}

/** What lies beside a kit about the requests it went through. @throws {LetheError} damaged */
async function inspectUses(path: string): Promise<Inspected> {
  const { notes, marks } = await readRecords([path]);
  const ends = endsOf(marks);
  const runs = marks.filter(({ mark }) => mark === "begun").map(({ run, out, time }) => ({
    out,
    time,
    end: ends.get(run)?.mark ?? "no end noted",
  }));
  const earlier = notes.flatMap(({ successors }) => successors);
  return {
    kind: "uses of a kit",
    path,
    rows: [
      ["runs", counted(runs.length, "run", "runs")],
      ...runs.map(({ out, time, end }) => [end, `${time}, to ${out}`] as const),
      ...(earlier.length > 0 ? [["successors", some(earlier)] as const] : []),
    ],
    notes: ["it belongs beside its kit, and moves with it"],
    value: { kind: "uses of a kit", runs, successors: earlier },
  };
}
