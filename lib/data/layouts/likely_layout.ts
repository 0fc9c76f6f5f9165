import { listFolder } from "../../files/list_folder.ts";
import type { DatasetName } from "../sample.ts";
import { findByName, isLeftover } from "./find_layout.ts";

/** Files that only one layout has. */
const MARKS: Readonly<Record<string, DatasetName>> = {
  "list_attr_celeba.txt": "celeba",
  "list_attr_celeba.csv": "celeba",
  "CelebAMask-HQ-attribute-anno.txt": "celebahq",
  "CelebAMask-HQ-attribute-anno.csv": "celebahq",
  "custom_train_dataset.csv": "mufac",
};

/**
 * The layout that a folder looks like by its label files: for whoever has named another.
 *
 * @returns null where nothing tells
 */
export async function likelyLayout(
  root: string,
): Promise<{ layout: DatasetName; mark: string } | null> {
  const [found] = await findByName(root, new Set(Object.keys(MARKS)));
  if (found) return { layout: MARKS[found.path.split("/").at(-1)!], mark: found.path };
  const tables = (await listFolder(root, "it is the data set's folder"))
    .filter(({ name, isFile }) => isFile && !isLeftover(name) && /\.(csv|tsv)$/i.test(name));
  return tables.length === 1 ? { layout: "folder", mark: tables[0].name } : null;
}
