import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { parseCsv } from "../../files/text/csv.ts";
import { shown } from "../../files/json_fields.ts";
import { isImageName, otherFormatOf } from "../images/formats.ts";
import { isLeftover } from "../layouts/find_layout.ts";
import { binaryTarget } from "../layouts/folder.ts";
import { listFolder } from "../../files/list_folder.ts";
import { readPlainText } from "../../files/plain_file.ts";
import { identityOfFileName, numberedIdentity } from "./request_names.ts";
import type { Task } from "../sample.ts";

/** Who a request is about, before its image is opened. */
export interface RequestRow {
  /** The image's name within the folder. */
  readonly file: string;
  /** Whom it is about. */
  readonly identity: string;
  /** Whom else the file's name may mean: `4711` for `4711.2.jpg`, see {@link requestPeople}. */
  readonly orElse?: string;
  /** As in a sample of the model's task; null when the folder gives no labels. */
  readonly targets: readonly number[] | null;
}

/** What the model to be changed was trained on. */
export interface LabelSet {
  /** What the model predicts. */
  readonly task: Task;
  /** Names of the labels. */
  readonly labels: readonly string[];
}

/** The files of a folder of requests: the images, sorted, and whether `requests.csv` names them. */
export interface RequestFiles {
  /** How many. */
  readonly images: readonly string[];
  /** Whether requests.csv names them. */
  readonly hasCsv: boolean;
  /** These are some of the folder's images: rows of the table about others are passed over. */
  readonly partial?: boolean;
}

const MAX_CSV_BYTES = 16 * 2 ** 20;

/**
 * Who a folder of requests is about: one row per image, named after the identity or by a
 * `requests.csv`, as `readRequests` says; a person may have several. No image is opened.
 *
 * @param model whose labels the targets are; null: labels are not looked at
 * @param files those of the folder, where they are known and the folder itself may not be looked into
 * @returns sorted by file name
 * @throws {LetheError} when the folder is missing or empty, rows and files do not match, or the label
 *   columns are not the model's
 */
export async function readRequestRows(
  folder: string,
  model: LabelSet | null,
  files?: RequestFiles,
): Promise<RequestRow[]> {
  const { images, hasCsv, partial = false }: RequestFiles = files ?? await listRequests(folder);
  const named = hasCsv
    ? await readRows(join(folder, "requests.csv"), images, model, partial)
    : null;
  return images.map((file) => {
    const row = named?.get(file);
    if (row !== undefined) return { file, ...row };
    const orElse = numberedIdentity(file);
    const identity = identityOfFileName(file);
    return { file, identity, ...(orElse === null ? {} : { orElse }), targets: null };
  });
}

/**
 * Decides whom each photograph shows where its name leaves that open: `4711.2.jpg` is somebody called
 * `4711.2` if there is such a person, else a further photograph of `4711`.
 *
 * @param isKnown whether there is somebody of that name; absent where nobody can tell: then `4711.2.jpg`
 *   is of `4711` where the folder has another photograph of `4711`
 * @returns the rows without `orElse`
 * @throws {LetheError} there are both
 */
export function requestPeople(
  rows: readonly RequestRow[],
  folder: string,
  isKnown?: (identity: string) => boolean,
): RequestRow[] {
  const photographs = new Map<string, number>();
  for (const { orElse, identity } of rows) {
    photographs.set(orElse ?? identity, (photographs.get(orElse ?? identity) ?? 0) + 1);
  }
  return rows.map(({ orElse, ...row }) => {
    if (orElse === undefined) return row;
    if (isKnown === undefined) {
      return photographs.get(orElse)! > 1 ? { ...row, identity: orElse } : row;
    }
    const [whole, numbered] = [row.identity, orElse].map(isKnown);
    if (whole && numbered) {
      const escaped = row.file.replace(/\.(?=[^.]*\.[^.]*$)/, "%2E");
      throw new LetheError(
        `${join(folder, row.file)} may show ${row.identity} or, for a second time, ${orElse}`,
        "there are people of both names",
        `name it ${escaped} for ${row.identity}, or name both photographs in requests.csv`,
      );
    }
    return numbered ? { ...row, identity: orElse } : row;
  });
}

/**
 * Lists a folder of requests; nothing is opened.
 *
 * @throws {LetheError} it is missing or empty, or anything else lies there
 */
export async function listRequests(folder: string): Promise<RequestFiles> {
  const images: string[] = [];
  let hasCsv = false;
  const entries = await listFolder(
    folder,
    "it is the folder of requests, an image or more per person",
  );
  for (const { name, isDirectory } of entries) {
    if (isLeftover(name)) continue;
    if (/\p{Cc}/u.test(name)) {
      throw new LetheError(
        `${shown(join(folder, name))} has a control character`,
        "an image's name is text that a terminal and a log can show",
        "rename it; requests.csv can give an image of any name its identity",
      );
    }
    if (name === "requests.csv") hasCsv = true;
    else if (isImageName(name)) images.push(name);
    else {
      const format = otherFormatOf(name);
      throw new LetheError(
        `${join(folder, name)} is ${format?.name ?? "no request"}`,
        "a folder of requests holds JPEG, PNG or WebP images and perhaps requests.csv",
        format
          ? `convert it: ${format.convert(join(folder, name))}`
          : name.toLowerCase() === "requests.csv"
          ? "rename it requests.csv"
          : isDirectory
          ? "name the folder that holds the requests; of a data set, `deno task split --requests` makes one"
          : "take it out",
      );
    }
  }
  if (images.length > 0) return { images: images.sort(), hasCsv };
  throw new LetheError(
    `${folder} holds no image`,
    "a request is one JPEG, PNG or WebP per person",
    "put the images there",
  );
}

async function readRows(
  path: string,
  images: readonly string[],
  model: LabelSet | null,
  partial: boolean,
): Promise<Map<string, { identity: string; targets: number[] | null }>> {
  const { columns, rows } = parseCsv(await readPlainText(path, { maxBytes: MAX_CSV_BYTES }), path);
  const labels = checkColumns(columns, model, path) ? model : null;
  const result = new Map<string, { identity: string; targets: number[] | null }>();
  const place = new Map(columns.map((column, i) => [column, i]));
  const there = new Set(images);
  // Names are the same in either of Unicode's forms: macOS takes letters apart.
  const composed = new Map(images.toReversed().map((image) => [image.normalize("NFC"), image]));
  for (const { line, fields } of rows) {
    const where = `${path} line ${line}`;
    const field = (column: string) => fields[place.get(column)!];
    const [written, identity] = [field("file"), field("identity")];
    const file = there.has(written) ? written : composed.get(written.normalize("NFC")) ?? written;
    if (partial && !there.has(file)) continue;
    if (!there.has(file) || result.has(file)) {
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
    const targets = labels === null
      ? null
      : labels.task === "classes"
      ? [classTarget(field("class"), labels.labels, where)]
      : labels.labels.map((label) => binaryTarget(field(label), label, where));
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

/** Whether the columns hold the model's labels; they are all of them, or none. */
function checkColumns(columns: readonly string[], model: LabelSet | null, path: string): boolean {
  const given = columns.filter((column) => column !== "file" && column !== "identity");
  const wanted = model === null ? given : model.task === "classes" ? ["class"] : model.labels;
  const [has, wants] = [new Set(given), new Set(wanted)];
  const missing = wanted.filter((label) => !has.has(label));
  const extra = given.filter((column) => !wants.has(column));
  const named = columns.includes("file") && columns.includes("identity");
  if (named && extra.length === 0 && (missing.length === 0 || given.length === 0)) {
    return given.length > 0;
  }
  const wrong = [
    ...named ? [] : ["no column file or identity"],
    ...given.length > 0 && missing.length > 0 ? [`no column ${some(missing)}`] : [],
    ...extra.length > 0 ? [`the unknown column ${some(extra)}`] : [],
  ];
  throw new LetheError(
    `${path} has ${wrong.join(" and ")}`,
    `its columns are file, identity, and either no labels or ${
      wanted.length > 0 ? wanted.join(", ") : "the model's"
    }`,
    "correct the header",
  );
}

/** The first names of a list that may be long. */
function some(names: readonly string[]): string {
  return names.length <= 10 ? names.join(", ") : `${names.slice(0, 10).join(", ")} and others`;
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
