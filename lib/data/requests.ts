import { join } from "@std/path";
import { LetheError } from "../error.ts";
import { parseCsv } from "./csv.ts";
import { decodeImage, type Image, MAX_IMAGE_BYTES } from "./decode_image.ts";
import { binaryTarget } from "./layouts/folder.ts";
import { listFolder } from "./list_folder.ts";
import { readPlainFile, readPlainText } from "./plain_file.ts";
import { identityOfFileName } from "./request_names.ts";
import type { Task } from "./sample.ts";
import { sha256Hex } from "./sha256.ts";

/** One person who asks to be forgotten, with the one image that they gave. */
export interface ForgetRequest {
  /** The image's name within the folder. */
  readonly file: string;
  readonly identity: string;
  /** Of the image file's bytes. */
  readonly sha256: string;
  readonly image: Image;
  /** As in a sample of the model's task; null when the folder gives no labels. */
  readonly targets: readonly number[] | null;
}

/** What the model to be changed was trained on. */
export interface LabelSet {
  readonly task: Task;
  readonly labels: readonly string[];
}

const MAX_CSV_BYTES = 16 * 2 ** 20;

/**
 * Reads a folder of requests: one JPEG or PNG per person, named after the identity, or named by a
 * `requests.csv` with the columns file and identity and, if labels are given, one column per label
 * of the model (1 or 0) or one column `class`. Nothing else may lie in the folder, so that nobody's
 * request is passed over in silence.
 *
 * @param folder the requests
 * @param model whose labels the targets are
 * @returns sorted by file name
 * @throws {LetheError} when the folder is missing or empty, an image does not decode, two images
 *   stand for one person, rows and files do not match, or the label columns are not the model's
 */
export async function readRequests(folder: string, model: LabelSet): Promise<ForgetRequest[]> {
  const { images, hasCsv } = await listRequests(folder);
  const rows = hasCsv ? await readRows(join(folder, "requests.csv"), images, model) : null;
  const requests: ForgetRequest[] = [];
  const fileOf = new Map<string, string>();
  for (const file of images) {
    const { identity, targets } = rows?.get(file) ??
      { identity: identityOfFileName(file), targets: null };
    const path = join(folder, file);
    const earlier = fileOf.get(identity);
    if (earlier !== undefined) {
      throw new LetheError(
        `${path} and ${earlier} both stand for ${identity}`,
        "a request is one image of one person",
        "remove one of them",
      );
    }
    fileOf.set(identity, file);
    const bytes = await readPlainFile(path, { maxBytes: MAX_IMAGE_BYTES });
    const image = decodeImage(bytes, path);
    requests.push({ file, identity, sha256: sha256Hex(bytes), image, targets });
  }
  return requests;
}

async function listRequests(folder: string): Promise<{ images: string[]; hasCsv: boolean }> {
  const images: string[] = [];
  let hasCsv = false;
  const entries = await listFolder(folder, "it is the folder of requests, one image per person");
  for (const { name } of entries) {
    if (name.startsWith(".")) continue;
    if (name === "requests.csv") hasCsv = true;
    else if (/\.(jpe?g|png)$/i.test(name)) images.push(name);
    else {
      throw new LetheError(
        `${join(folder, name)} is no request`,
        "a folder of requests holds .jpg or .png images and perhaps requests.csv",
        "convert it to JPEG or PNG, or take it out",
      );
    }
  }
  if (images.length > 0) return { images: images.sort(), hasCsv };
  throw new LetheError(
    `${folder} holds no image`,
    "a request is one JPEG or PNG per person",
    "put the images there",
  );
}

async function readRows(
  path: string,
  images: readonly string[],
  model: LabelSet,
): Promise<Map<string, { identity: string; targets: number[] | null }>> {
  const { columns, rows } = parseCsv(await readPlainText(path, { maxBytes: MAX_CSV_BYTES }), path);
  const labelled = checkColumns(columns, model, path);
  const result = new Map<string, { identity: string; targets: number[] | null }>();
  for (const { line, fields } of rows) {
    const where = `${path} line ${line}`;
    const field = (column: string) => fields[columns.indexOf(column)];
    const [file, identity] = [field("file"), field("identity")];
    if (!images.includes(file) || result.has(file)) {
      throw new LetheError(
        `${where} names ${JSON.stringify(file)}` +
          (result.has(file) ? " again" : ", which is not in the folder"),
        "each row is about one image of the folder",
        "correct the name or remove the row",
      );
    }
    if (identity === "") {
      throw new LetheError(`${where} has no identity`, "a request is one person's", "fill it in");
    }
    const targets = !labelled
      ? null
      : model.task === "classes"
      ? [classTarget(field("class"), model.labels, where)]
      : model.labels.map((label) => binaryTarget(field(label), label, where));
    result.set(file, { identity, targets });
  }
  const unnamed = images.find((image) => !result.has(image));
  if (unnamed === undefined) return result;
  throw new LetheError(
    `${path} has no row for ${unnamed}`,
    "where there is a requests.csv, every image has a row",
    "add the row or remove the image",
  );
}

/** Whether the columns hold labels; they are all of the model's, or none. */
function checkColumns(columns: readonly string[], model: LabelSet, path: string): boolean {
  const wanted = model.task === "classes" ? ["class"] : model.labels;
  const given = columns.filter((column) => column !== "file" && column !== "identity");
  const missing = wanted.filter((label) => !given.includes(label));
  const extra = given.filter((column) => !wanted.includes(column));
  const named = columns.includes("file") && columns.includes("identity");
  if (named && extra.length === 0 && (missing.length === 0 || given.length === 0)) {
    return given.length > 0;
  }
  const wrong = [
    ...named ? [] : ["no column file or identity"],
    ...given.length > 0 && missing.length > 0 ? [`no column ${missing.join(", ")}`] : [],
    ...extra.length > 0 ? [`the unknown column ${extra.join(", ")}`] : [],
  ];
  throw new LetheError(
    `${path} has ${wrong.join(" and ")}`,
    `its columns are file, identity, and either no labels or ${wanted.join(", ")}`,
    "correct the header",
  );
}

function classTarget(name: string, labels: readonly string[], where: string): number {
  const index = labels.indexOf(name);
  if (index >= 0) return index;
  throw new LetheError(
    `${where} has the class ${JSON.stringify(name)}`,
    `the model's classes are ${labels.join(", ")}`,
    "correct it",
  );
}
