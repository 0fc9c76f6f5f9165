import { describeDuplicates, findDuplicates } from "../data/duplicates.ts";
import { examineImages, filesOf } from "../data/loader/examine_images.ts";
import type { Progress } from "../data/loader/image_store.ts";
import { openDataset } from "../data/open_dataset.ts";
import type { Dataset, DatasetName } from "../data/sample.ts";
import { counted, type Inspected, share, some } from "./inspected.ts";

/**
 * A data set: people, images, labels and their shares, images that come twice or do not decode.
 *
 * @throws {LetheError} its label files break their rules, or an image cannot be read
 */
export async function inspectDataset(
  name: DatasetName,
  path: string,
  onProgress?: Progress,
): Promise<Inspected> {
  const dataset = await openDataset(name, path);
  const { samples, absent, unread } = dataset;
  const { hashes, broken } = await examineImages(
    dataset.root,
    filesOf(samples),
    { decode: true, ...(onProgress ? { onProgress } : {}) },
  );
  const perPerson = [...countBy(samples.map(({ identity }) => identity)).values()]
    .sort((a, b) => a - b);
  const shares = labelShares(dataset);
  const duplicates = findDuplicates(samples, hashes);
  const lacking = shares.filter((label) => label.share === 0).map((label) => label.label);
  const shown = shares.map((label) => `${label.label} ${share(label.share)}`);
  return {
    kind: "data set",
    path,
    rows: [
      ["layout", dataset.root === path ? name : `${name}, at ${dataset.root}`],
      ["people", perPerson.length.toLocaleString("en-US")],
      ["images", samples.length.toLocaleString("en-US")],
      [
        "images per person",
        `${perPerson[0]} to ${perPerson.at(-1)}, half have ${median(perPerson)} or less`,
      ],
      ["task", dataset.task === "classes" ? "one of several classes" : "independent labels"],
      [dataset.task === "classes" ? "classes" : "labels", some(shown, 12)],
      ["do not decode", broken.length === 0 ? "none" : some(broken)],
      [
        "more than once",
        duplicates.length === 0 ? "none" : counted(duplicates.length, "image", "images"),
      ],
    ],
    notes: [
      ...(absent > 0 ? [`${absent} rows of the label files have no image that is read`] : []),
      ...unread.map(({ format, rows, remedy }) =>
        `${rows} of them name ${format}; convert: ${remedy}`
      ),
      ...describeDuplicates(duplicates),
      ...(lacking.length > 0
        ? [`no image has ${some(lacking)}: average precision is undefined there`]
        : []),
    ],
    value: {
      kind: "data set",
      layout: name,
      root: dataset.root,
      task: dataset.task,
      people: perPerson.length,
      images: samples.length,
      imagesPerPerson: { least: perPerson[0], median: median(perPerson), most: perPerson.at(-1) },
      labels: shares,
      absent,
      unread,
      broken,
      duplicates: duplicates.map((same) => same.map(({ file, identity }) => ({ file, identity }))),
    },
  };
}

function labelShares({ task, labels, samples }: Dataset): { label: string; share: number }[] {
  const sums = new Float64Array(labels.length);
  for (const { targets } of samples) {
    if (task === "classes") sums[targets[0]]++;
    else targets.forEach((target, i) => sums[i] += target);
  }
  return labels.map((label, i) => ({ label, share: sums[i] / samples.length }));
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function median(sorted: readonly number[]): number {
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
