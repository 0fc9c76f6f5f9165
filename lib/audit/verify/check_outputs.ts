import { basename, dirname, join } from "@std/path";
import { canonicalJson } from "../../files/canonical_json.ts";
import { parseJsonObject } from "../../files/json_fields.ts";
import { readPlainText } from "../../files/plain_file.ts";
import { MODEL_FILE } from "../../model/checkpoint.ts";
import { identityKeyPath, readIdentityKey } from "../../model/kit/identity_key.ts";
import { KIT_PARTS } from "../../model/kit/kit_parts.ts";
import { MANIFEST } from "../../model/kit/stored_manifest.ts";
import { earlierUsesPath, readMarks, usesPath } from "../../model/kit/uses_record.ts";
import { encodeSummary, parseSummary, SUMMARY_FILE } from "../../run/summary_file.ts";
import { METHODS } from "../../unlearn/methods.ts";
import { differing, holds, isThere, short, type Verdict } from "../layers/checks.ts";
import { MODEL_HASHES, modelHashes } from "../receipt/pack.ts";
import {
  type FileDigest,
  type Receipt,
  RECEIPT_BUNDLE,
  RECEIPT_FILE,
  RECEIPT_PAGE,
} from "../receipt/receipt.ts";
import { peopleOf } from "../receipt/receipt_file.ts";
import { listTree } from "../record/digest_files.ts";

/** What lies beside receipt and outputs without being one of them, such as what later runs note. */
const BESIDE = [
  ...[RECEIPT_PAGE, RECEIPT_BUNDLE, MODEL_HASHES],
  // In outputs of before the key stayed beside the first kit.
  identityKeyPath("kit"),
  ...[basename(usesPath("kit")), basename(earlierUsesPath("kit"))],
];

/**
 * What a run writes, and of a kit what it reads: nothing else is handed on under its name. Whoever has the
 * next kit holds its files against what it names.
 */
const OUTPUT = new RegExp(
  `^(?:${
    [
      SUMMARY_FILE,
      ...["config.json", MODEL_FILE].map((file) => `model/${file}`),
      ...[MANIFEST, ...KIT_PARTS.map(({ file }) => file)].map((file) => `kit/${file}`),
    ].map(RegExp.escape).join("|")
  }|kit/(?:${
    KIT_PARTS.flatMap(({ rows }) => rows ? [RegExp.escape(rows.folder)] : []).join("|")
  })/[0-9a-f]{64}\\.[a-z]{1,20})$`,
);

/**
 * Of an output folder every file must be there. An auditor may have been handed the receipt without the
 * next kit, or the model alone: then what is here must be right, and what is not is told.
 *
 * @param receiptPath where the receipt lies, whatever it is called by now, beside the outputs
 */
export async function checkOutputs(
  receipt: Receipt,
  receiptPath: string,
  model?: string,
): Promise<Verdict> {
  const folder = dirname(receiptPath);
  const strange = receipt.written.find(({ file }) => !OUTPUT.test(file)) ??
    receipt.kit.find(({ file }) => !OUTPUT.test(`kit/${file}`));
  if (strange !== undefined) return ["failed", `${strange.file} is no file of a run's`];
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
  if (await isThere(hashes) && !await holds(hashes, modelHashes(receipt))) {
    return ["failed", `${MODEL_HASHES} has other hashes than the receipt`];
  }
  const known = new Set(
    [
      basename(receiptPath),
      ...BESIDE,
      ...[...receipt.written, ...receipt.evidence].map(({ file }) => file),
    ],
  );
  await checkBeside(folder);
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

/** What lies beside the outputs and is in no receipt must be what it is called. @throws {LetheError} it is not */
async function checkBeside(folder: string): Promise<void> {
  const [kit, key] = [join(folder, "kit"), join(folder, identityKeyPath("kit"))];
  if (await isThere(key)) await readIdentityKey(key);
  await readMarks(kit);
}

/** The weights that the receipt names must be among the files that it names; these are held apart. */
export function checkWeights({ weights, written, kit }: Receipt): Verdict {
  const holds = (files: readonly FileDigest[], file: string, sha256: string) =>
    files.some((entry) => entry.file === file && entry.sha256 === sha256);
  const right = holds(kit, "model.safetensors", weights.before) &&
    holds(written, "model/model.safetensors", weights.after) &&
    holds(written, "kit/model.safetensors", weights.after);
  return right
    ? [
      "held",
      `it names ${short(weights.before)} as read and ${short(weights.after)} as written, twice`,
    ]
    : ["failed", "those named are not those read and written"];
}

/** What a run's settings may be besides a method's own. */
const SETTINGS = [
  ...["device", "microBatch", "memoryLimit", "allowUnusualStep", "matchCheck", "method", "seed"],
  ...["metaLearningRate", "staleStatistics", "branchReason", "allowTrainingPhoto"],
];
/** Those that are words; any other is a number, true or false. */
const WORDS = ["device", "method", "branchReason"];

/** A setting that Lethe does not know, or that is no number where it knows numbers. */
function strangeSetting({ settings }: Receipt): string | null {
  const own = METHODS.flatMap(({ settings }) => Object.keys(settings));
  const strange = Object.entries(settings).find(([name, value]) =>
    ![...SETTINGS, ...own].includes(name) || typeof value === "string" && !WORDS.includes(name)
  );
  return strange === undefined ? null : strange[0];
}

/** The summary must have Lethe's fields, in Lethe's text, and say what the receipt says. */
export async function checkSummary(receipt: Receipt, path: string): Promise<Verdict> {
  if (receipt.version === 1) return ["absent", "version 1's is not held against its receipt"];
  const strange = strangeSetting(receipt);
  if (strange !== null) return ["failed", `${strange} is no setting of a run`];
  const isPart = !await isThere(path) && !await isThere(join(dirname(path), "kit"));
  if (isPart) return ["absent", "it is not here"];
  const text = await readPlainText(path, { maxBytes: 2 ** 26 });
  const remedy = "use what the run wrote";
  const summary = parseSummary(parseJsonObject(text, path, remedy), path, remedy);
  if (encodeSummary(summary) !== text) return ["failed", "it has more to it than its fields"];
  const said = ({ change, targets, weights }: Pick<Receipt, "change" | "targets" | "weights">) =>
    canonicalJson({ change, targets, weights });
  const same = said(summary) === said(receipt) && summary.people === peopleOf(receipt) &&
    summary.photographs <= receipt.requests.length && summary.device === receipt.adapter &&
    canonicalJson(summary.kit) === canonicalJson(receipt.kitId) &&
    Object.entries(summary.settings).every(([name, value]) => receipt.settings[name] === value);
  return same
    ? ["held", `${SUMMARY_FILE} has the fields of a summary and says what ${RECEIPT_FILE} says`]
    : ["failed", `${SUMMARY_FILE} says something else than ${RECEIPT_FILE}`];
}
