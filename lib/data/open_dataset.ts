import { join } from "@std/path";
import { LetheError } from "../error.ts";
import { closestName } from "../closest_name.ts";
import { CELEBA_MARK, readCelebA } from "./layouts/celeba.ts";
import { CELEBA_HQ_MARK, readCelebAHQ } from "./layouts/celebahq.ts";
import { readFolder } from "./layouts/folder.ts";
import type { LayoutContent } from "./layouts/layout.ts";
import { MUFAC_MARK, readMufac } from "./layouts/mufac.ts";
import { listFolder } from "../files/list_folder.ts";
import type { Dataset, DatasetName } from "./sample.ts";

interface Layout {
  /** A file of the layout, and the subfolder in which it is usually unpacked. */
  readonly mark?: string;
  readonly subfolder?: string;
  readonly read: (root: string) => Promise<LayoutContent>;
}

const LAYOUTS: Record<DatasetName, Layout> = {
  celeba: { mark: CELEBA_MARK, subfolder: "celeba", read: readCelebA },
  celebahq: { mark: CELEBA_HQ_MARK, subfolder: "CelebAMask-HQ", read: readCelebAHQ },
  mufac: { mark: MUFAC_MARK, subfolder: "mufac", read: readMufac },
  folder: { read: readFolder },
};

/**
 * Reads a data set's label files; no image is opened.
 *
 * @param name its layout
 * @param root the folder with the layout's files, or with its `CelebAMask-HQ/`, `mufac/` or
 *   `celeba/` in it
 * @param options `attributes`: the labels to keep, in this order (multi-label only; default all)
 * @returns samples sorted by file, at least one, with the count of rows whose images are absent
 * @throws {LetheError} when a folder or file is missing or breaks its rules, or an attribute is
 *   unknown
 */
export async function openDataset(
  name: DatasetName,
  root: string,
  options: { attributes?: readonly string[] } = {},
): Promise<Dataset> {
  const resolved = await resolveRoot(LAYOUTS[name], root);
  const content = await LAYOUTS[name].read(resolved);
  const dataset: Dataset = { name, root: resolved, ...content };
  if (dataset.samples.length === 0) {
    throw new LetheError(
      `${resolved} holds no image that its label files name`,
      "images and labels belong together",
      "check that they are of the same data set",
    );
  }
  return options.attributes ? withLabels(dataset, options.attributes) : dataset;
}

async function resolveRoot({ mark, subfolder }: Layout, root: string): Promise<string> {
  const entries = await listFolder(root, "it is the data set's folder");
  if (!mark || !subfolder || entries.some(({ name }) => name === mark)) return root;
  if (entries.some(({ name, isFile }) => !isFile && name === subfolder)) {
    const below = join(root, subfolder);
    const inner = await listFolder(below, "it is the data set's folder");
    if (inner.some(({ name }) => name === mark)) return below;
  }
  throw new LetheError(
    `${root} holds neither ${mark} nor ${subfolder}/${mark}`,
    "by this file the layout is known",
    "check the path and the name of the data set",
  );
}

function withLabels(dataset: Dataset, attributes: readonly string[]): Dataset {
  if (dataset.task === "classes") {
    throw new LetheError(
      `${dataset.name} has classes`,
      "attributes can be chosen of multi-label data sets only",
      "leave the choice of attributes out",
    );
  }
  if (attributes.length === 0 || new Set(attributes).size !== attributes.length) {
    throw new LetheError(
      `attributes ${JSON.stringify(attributes.join(","))}`,
      "at least one is needed, and none twice",
      "correct the list",
    );
  }
  const columns = attributes.map((attribute) => {
    const column = dataset.labels.indexOf(attribute);
    if (column >= 0) return column;
    const closest = closestName(attribute, dataset.labels);
    throw new LetheError(
      `unknown attribute ${attribute}`,
      `${dataset.name} at ${dataset.root} has ${dataset.labels.join(", ")}`,
      closest ? `did you mean ${closest}?` : "choose among these",
    );
  });
  const samples = dataset.samples.map((sample) => ({
    ...sample,
    targets: columns.map((column) => sample.targets[column]),
  }));
  return { ...dataset, labels: [...attributes], samples };
}
