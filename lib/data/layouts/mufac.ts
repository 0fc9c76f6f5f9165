import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { scanCsv } from "../../files/text/csv.ts";
import { readPlainText } from "../../files/plain_file.ts";
import { checkedRelativePath } from "../../files/relative_path.ts";
import { findByName } from "./find_layout.ts";
import { listImages } from "./image_listing.ts";
import { LabelRows } from "./label_rows.ts";
import { type LayoutContent, MAX_LABEL_BYTES, whereIn } from "./layout.ts";

/** The file by which MUFAC's folder is known. */
const MUFAC_MARK = "custom_train_dataset.csv";

const PARTS = ["train", "val", "test"];
const COLUMNS = ["family_id", "person_id", "age_class", "image_path"];
/** The age classes a to h, in years. */
const AGES = ["0-6", "7-12", "13-19", "20-30", "31-45", "46-55", "56-66", "67-80"];

/**
 * MUFAC (Choi & Na 2023): for each of train, val and test a `custom_<part>_dataset.csv` with the
 * columns family_id, person_id, age_class (a to h) and image_path, and the images in
 * `<part>_images/`. A person is a family and a person of it; the three parts are read as one, since
 * Lethe splits by identity itself. The folder may lie some folders below the one that is named.
 *
 * @throws {LetheError} when a file is missing or breaks these rules, naming it and the line
 */
export async function readMufac(folder: string): Promise<LayoutContent> {
  const [mark] = await findByName(folder, new Set([MUFAC_MARK]));
  if (!mark?.isFile) {
    throw new LetheError(
      `${folder} holds no ${MUFAC_MARK}, there or below`,
      "by this file MUFAC is known",
      "check the path and the name of the data set",
    );
  }
  const root = mark.path === MUFAC_MARK
    ? folder
    : join(folder, mark.path.slice(0, -MUFAC_MARK.length - 1));
  const parts = [];
  for (const part of PARTS) parts.push(await readPart(root, part));
  const unread = parts.flatMap((part) => part.unread);
  const samples = parts.flatMap((part) => [...part.samples])
    .sort((a, b) => a.file < b.file ? -1 : 1);
  const absent = parts.reduce((sum, part) => sum + part.absent, 0);
  return { root, task: "classes", labels: AGES, samples, absent, unread };
}

async function readPart(root: string, part: string) {
  const name = join(root, `custom_${part}_dataset.csv`);
  const text = await readPlainText(name, {
    maxBytes: MAX_LABEL_BYTES,
    remedy: "check the path, or get the file with the data set",
  });
  const { columns, rows } = scanCsv(text, name);
  // pandas writes its row numbers into a first column without a name.
  const named = columns.filter((column, index) => column !== "" || index > 0);
  if (named.length !== COLUMNS.length || COLUMNS.some((column) => !named.includes(column))) {
    throw new LetheError(
      `${name} has the columns ${named.join(", ")}`,
      `MUFAC's are ${COLUMNS.join(", ")}`,
      "add the missing or remove the extra column",
    );
  }
  const listing = await listImages(root, `${part}_images`);
  const labelled = new LabelRows(listing, name, "classes", AGES.length);
  for (const { line, fields } of rows) {
    const [family, person, age, image] = COLUMNS.map((column) => fields[columns.indexOf(column)]);
    const where = whereIn(name, line);
    const ageClass = "abcdefgh".indexOf(age);
    if (age.length !== 1 || ageClass < 0) {
      throw new LetheError(
        `${where} has the age class ${JSON.stringify(age)}`,
        "age classes are the letters a to h",
        "correct it",
      );
    }
    if (!family || !person) {
      throw new LetheError(
        `${where} leaves the person open`,
        "every image shows one",
        "fill it in",
      );
    }
    const file = `${part}_images/${checkedRelativePath(image, where)}`;
    labelled.add({ file, identity: `${family}_${person}`, targets: [ageClass], line });
  }
  return labelled.finish(name);
}
