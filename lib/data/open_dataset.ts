import { LetheError, UsageError } from "../error.ts";
import { closestName } from "../closest_name.ts";
import { readCelebA } from "./layouts/celeba.ts";
import { readCelebAHQ } from "./layouts/celebahq.ts";
import { readFolder } from "./layouts/folder.ts";
import type { LayoutContent } from "./layouts/layout.ts";
import { likelyLayout } from "./layouts/likely_layout.ts";
import { readMufac } from "./layouts/mufac.ts";
import { columnsOf, packedSamples } from "./packed_samples.ts";
import type { Dataset, DatasetName } from "./sample.ts";
import { TargetTable } from "./target_table.ts";

const LAYOUTS: Record<DatasetName, (root: string) => Promise<LayoutContent>> = {
  celeba: readCelebA,
  celebahq: readCelebAHQ,
  mufac: readMufac,
  folder: readFolder,
};

/**
 * Reads a data set's label files; no image is opened.
 *
 * @param name its layout
 * @param root the folder with the layout's files, there or (but for `folder`) some folders below
 * @param options `attributes`: the labels to keep, in this order (multi-label only; default all)
 * @returns samples sorted by file, at least one, with the count of rows whose images are absent
 * @throws {LetheError} when a folder or file is missing or breaks its rules, or an attribute is
 *   unknown
 * @throws {UsageError} there is no such layout
 */
export async function openDataset(
  name: DatasetName,
  root: string,
  options: { attributes?: readonly string[] | undefined } = {},
): Promise<Dataset> {
  if (!Object.hasOwn(LAYOUTS, name)) {
    const names = Object.keys(LAYOUTS).join(", ");
    throw new UsageError(`layout ${JSON.stringify(name)}`, `it is ${names}`, "take one");
  }
  const content = await LAYOUTS[name](root).catch(async (error) => {
    throw await withLikelyLayout(error, name, root);
  });
  const dataset: Dataset = { name, root, ...content };
  if (dataset.samples.length === 0) {
    const [unread] = dataset.unread;
    throw new LetheError(
      `${dataset.root} holds no image that its label files name`,
      unread
        ? `what they name is ${unread.format} (${unread.rows} rows), which is not read`
        : "images and labels belong together",
      unread ? `convert them: ${unread.remedy}` : "check that they are of the same data set",
    );
  }
  return options.attributes ? withLabels(dataset, options.attributes) : dataset;
}

/** An error of one layout's, with the layout that the folder looks like where that is another. */
async function withLikelyLayout(error: unknown, name: DatasetName, root: string): Promise<unknown> {
  if (!(error instanceof LetheError)) return error;
  const likely = await likelyLayout(root).catch(() => null);
  if (likely === null || likely.layout === name) return error;
  const { value, rule, exitCode, cause } = error;
  const remedy = `${root} holds ${likely.mark}, as ${likely.layout} does: ` +
    `try --dataset ${likely.layout} or, with a split, name the folder that it was made from`;
  return new LetheError(value, rule, remedy, { exitCode, cause });
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
  // As a split asks for those that there are: nothing to choose.
  if (attributes.length === dataset.labels.length && columns.every((column, i) => column === i)) {
    return dataset;
  }
  const all = columnsOf(dataset.samples, dataset.task, dataset.labels.length);
  const targets = TargetTable.ofRows(dataset.task, attributes.length, all.owners.length);
  for (let row = 0; row < all.owners.length; row++) {
    const own = all.targets.targets(row);
    targets.set(row, columns.map((column) => own[column]));
  }
  return { ...dataset, labels: [...attributes], samples: packedSamples({ ...all, targets }) };
}
