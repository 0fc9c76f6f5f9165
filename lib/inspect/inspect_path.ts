import { join } from "@std/path";
import type { Progress } from "../data/loader/image_store.ts";
import { isImageName } from "../data/images/formats.ts";
import { isLeftover } from "../data/layouts/find_layout.ts";
import { readRequestRows, requestPeople } from "../data/requests/request_rows.ts";
import type { DatasetName } from "../data/sample.ts";
import { LetheError } from "../error.ts";
import { parseJsonObject } from "../files/json_fields.ts";
import { pathKind } from "../files/path_kind.ts";
import { listFolder } from "../files/list_folder.ts";
import { readPlainText } from "../files/plain_file.ts";
import { inspectDataset } from "./inspect_dataset.ts";
import { INSPECTED_RULE as RULE, inspectFile } from "./inspect_file.ts";
import { inspectGrid } from "./inspect_grid.ts";
import { inspectFolds, inspectUpdates } from "./inspect_reference.ts";
import { inspectKit } from "./inspect_kit.ts";
import { inspectLedger } from "./inspect_ledger.ts";
import { inspectKnown } from "./known_files.ts";
import { inspectModel } from "./inspect_model.ts";
import { inspectReceipt } from "./inspect_receipt.ts";
import { type Inspected, some } from "./inspected.ts";

/**
 * Finds out what a path is and what is in it.
 *
 * @param dataset the data set's layout, where it is one and its files do not tell
 * @throws {LetheError} it is nothing of Lethe's, or damaged
 */
export async function inspectPath(
  path: string,
  { dataset, onProgress }: { dataset?: DatasetName; onProgress?: Progress } = {},
): Promise<Inspected> {
  if (dataset) return await inspectDataset(dataset, path, onProgress);
  const found = await Deno.stat(path).catch((cause) => {
    throw new LetheError(`${path} does not exist or cannot be read`, RULE, "check the path", {
      cause,
    });
  });
  if (!found.isDirectory) return await inspectFile(path);
  const names = (await listFolder(path, RULE)).map(({ name }) => name);
  // Half a kit is no kit.
  const half = /\.part$/.test(path) ? await inspectKnown(path, "folder") : null;
  if (half !== null) return half;
  const kind = await pathKind(path);
  if (kind === "kit") return await inspectKit(path);
  if (kind === "output folder") return await inspectOutput(path, names.includes("receipt.json"));
  if (kind === "model") return await inspectModel(path);
  if (kind === "ledger") return await inspectLedger(path);
  if (kind === "benchmark grid") return await inspectGrid(path);
  if (kind === "requests") return await inspectRequests(path);
  if (kind === "fold models") return await inspectFolds(path, names);
  if (kind === "stored updates") return await inspectUpdates(path);
  const known = await inspectKnown(path, "folder");
  if (known !== null) return known;
  // Images and nothing else: no data set is without labels, and requests need no table.
  const plain = names.filter((name) => !isLeftover(name));
  if (plain.length > 0 && plain.every(isImageName)) return await inspectRequests(path);
  return await inspectUnnamedDataset(path, names, onProgress);
}

/** What unlearn leaves: the next kit's and the receipt's facts beside its own. */
async function inspectOutput(path: string, hasReceipt: boolean): Promise<Inspected> {
  const summaryPath = join(path, "summary.json");
  const text = await readPlainText(summaryPath, { maxBytes: 2 ** 20 });
  const summary = parseJsonObject(text, summaryPath, "restore it");
  const kit = await inspectKit(join(path, "kit"));
  const model = await inspectModel(join(path, "model"));
  const receipt = hasReceipt ? await inspectReceipt(join(path, "receipt.json")) : null;
  const fact = (name: string) => String(summary[name] ?? "-");
  return {
    kind: "output folder",
    path,
    rows: [
      ["people forgotten", fact("people")],
      ["method", fact("method")],
      ["labels", `of ${fact("targets")}`],
      ["device", fact("device")],
      ...kit.rows.map(([name, value]): [string, string] => [`kit: ${name}`, value]),
      ...(receipt?.rows ?? []).map((
        [name, value],
      ): [string, string] => [`receipt: ${name}`, value]),
    ],
    notes: [
      ...kit.notes,
      ...(receipt ? receipt.notes : ["there is no receipt"]),
    ],
    value: {
      kind: "output folder",
      summary,
      model: model.value,
      kit: kit.value,
      receipt: receipt?.value ?? null,
    },
  };
}

async function inspectRequests(path: string): Promise<Inspected> {
  const rows = requestPeople(await readRequestRows(path, null), path);
  const people = new Set(rows.map(({ identity }) => identity)).size;
  return {
    kind: "requests",
    path,
    rows: [["photographs", String(rows.length)], ["people", String(people)]],
    notes: [],
    value: {
      kind: "requests",
      photographs: rows.length,
      people,
      files: rows.map(({ file }) => file),
    },
  };
}

/** Tries the layouts; of one with a mark of its own the error is told, as it was meant. */
async function inspectUnnamedDataset(
  path: string,
  names: readonly string[],
  onProgress?: Progress,
): Promise<Inspected> {
  const hasTable = names.some((name) => /\.(csv|tsv)$/i.test(name) && !name.startsWith("."));
  const order: DatasetName[] = hasTable && !names.includes("custom_train_dataset.csv") &&
      !names.some((name) => name.startsWith("list_attr_celeba"))
    ? ["folder"]
    : ["celeba", "celebahq", "mufac"];
  const errors: LetheError[] = [];
  for (const name of order) {
    try {
      return await inspectDataset(name, path, onProgress);
    } catch (error) {
      if (!(error instanceof LetheError)) throw error;
      errors.push(error);
    }
  }
  const telling = errors.find(({ value }) =>
    !/ holds no [^,]* and no | holds no custom_/.test(value)
  );
  if (telling) throw telling;
  throw new LetheError(
    `${path} is nothing of Lethe's: it holds ${some(names) || "nothing"}`,
    RULE,
    "name the data set's layout with --dataset if it is one",
  );
}
