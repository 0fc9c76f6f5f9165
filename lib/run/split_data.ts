import { type HashedFiles, openHashes, packHashes } from "../data/file_hashes.ts";
import { sameFiles } from "../data/file_table.ts";
import { type InputThread, openInput } from "../data/loader/input_thread.ts";
import { openDataset } from "../data/open_dataset.ts";
import { columnsOf } from "../data/packed_samples.ts";
import { readPackedSplit } from "../data/packed_split.ts";
import type { Dataset, Sample, Samples } from "../data/sample.ts";
import { IDENTITY_PARTS, openSplitDataset, type Split } from "../data/split.ts";
import { readSplit, splitHash } from "../data/split_file.ts";
import { readSplitIndex, withHashes, writeSplitIndex } from "../data/split_index.ts";
import { sha256File } from "../files/sha256.ts";

/** A split and the data set it was made of. */
export interface SplitData {
  readonly split: Split;
  readonly dataset: Dataset;
  /** SHA-256 of the split's content: what a run's results depend on. */
  readonly sha256: string;
  /** Files and hashes in the order of the data set's samples, where they are columns. */
  readonly files?: HashedFiles;
}

/**
 * Opens a split file and its data set by the index beside the split. The first time parses both and
 * leaves it there; it serves as long as neither has changed.
 *
 * @throws LetheError they do not belong together
 */
export async function openSplit(splitPath: string, data: string): Promise<SplitData> {
  return await readSplitIndex(splitPath, data) ?? await openPacked(splitPath, data) ??
    await openParsed(splitPath, data);
}

/**
 * Opens both line by line, so that what a large data set comes to is never there as objects.
 *
 * @returns null where the split is no file of `writeSplit`'s, or not of the data set as it is now
 */
async function openPacked(path: string, data: string): Promise<SplitData | null> {
  const packed = await readPackedSplit(path);
  if (!packed) return null;
  const { split, table, hashes, sha256, file } = packed;
  const { name, task, labels } = split.dataset;
  const attributes = task === "classes" ? {} : { attributes: labels };
  const dataset = await openDataset(name, data, attributes);
  if (dataset.task !== task || dataset.labels.join("\n") !== labels.join("\n")) return null;
  const columns = columnsOf(dataset.samples, task, labels.length);
  if (!sameFiles(columns.table, table)) return null;
  const known = new Set(IDENTITY_PARTS.flatMap((part) => split.identities[part]));
  const strangers = columns.people.map((person) => !known.has(person));
  if (columns.owners.some((owner) => strangers[owner])) return null;
  // Where it cannot be written, the next command parses again.
  await writeSplitIndex(path, data, { split, sha256, file, dataset, hashes }).catch(() => {});
  const indexed = await readSplitIndex(path, data);
  if (indexed) return indexed;
  const files = { table, hashes };
  return { split: withHashes(split, files), dataset, sha256, files };
}

/** Opens both as objects. @throws LetheError they do not belong together */
async function openParsed(path: string, data: string): Promise<SplitData> {
  const split = await readSplit(path);
  const dataset = await openSplitDataset(split, data);
  const sha256 = splitHash(split);
  const { hashes, ...rest } = split;
  await writeSplitIndex(path, data, {
    ...{ split: rest, sha256, file: sha256File(path), dataset },
    hashes: packHashes(dataset.samples, hashes),
  }).catch(() => {});
  return await readSplitIndex(path, data) ?? { split, dataset, sha256 };
}

/** SHA-256 of samples' images, as the split recorded them. */
export function* hashesOf({ split, files }: SplitData, samples: Samples): Generator<string> {
  using reader = files ? openHashes(files.hashes) : null;
  for (const { file, row } of samples) {
    yield reader && row !== undefined ? reader.at(row) : split.hashes[file];
  }
}

/** SHA-256 of a sample's image. */
export function hashOf(data: SplitData, sample: Sample): string {
  const [hash] = hashesOf(data, [sample]);
  return hash;
}

/**
 * Starts a thread that loads a split's images while the device computes, each held against its hash.
 *
 * @param cache a folder that keeps decoded images
 * @param onNotice gets a line when it takes no more
 */
export function streamSamples(
  { split, dataset, files }: SplitData,
  cache?: string,
  onNotice?: (line: string) => void,
): InputThread {
  const count = dataset.samples.length;
  return openInput(dataset.root, count, {
    // Columns bring their own.
    ...(files ? {} : { hashes: split.hashes }),
    ...(cache === undefined ? {} : { cache, onNotice }),
  });
}
