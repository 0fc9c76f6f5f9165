import { readSplit, splitHash } from "../data/split_file.ts";
import { IDENTITY_PARTS } from "../data/split.ts";
import { counted, type Inspected, some } from "./inspected.ts";

/** A split, by itself: the data set is not opened. @throws {LetheError} it is damaged */
export async function inspectSplit(path: string): Promise<Inspected> {
  const split = await readSplit(path);
  const { name, task, labels } = split.dataset;
  const files = Object.keys(split.hashes);
  const twice = files.length - new Set(Object.values(split.hashes)).size;
  const people = Object.fromEntries(
    IDENTITY_PARTS.map((part) => [part, split.identities[part].length]),
  );
  const sha256 = splitHash(split);
  return {
    kind: "split",
    path,
    rows: [
      ["data set", `${name}, ${task === "classes" ? "classes" : "labels"}: ${some(labels, 12)}`],
      ["images", files.length.toLocaleString("en-US")],
      ...IDENTITY_PARTS.map((part): [string, string] => [
        part,
        counted(split.identities[part].length, "person", "people"),
      ]),
      ["support images", String(Object.keys(split.support).length)],
      ["seed", String(split.seed)],
      ["content", sha256],
    ],
    notes: twice > 0
      ? [`${counted(twice, "image is", "images are")} there more than once, by their hashes`]
      : [],
    value: {
      kind: "split",
      dataset: split.dataset,
      seed: split.seed,
      images: files.length,
      people,
      support: Object.keys(split.support).length,
      repeated: twice,
      sha256,
    },
  };
}
