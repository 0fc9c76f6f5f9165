import { type InputThread, openInput } from "../data/loader/input_thread.ts";
import type { Dataset, Sample } from "../data/sample.ts";
import { openSplitDataset, type Split } from "../data/split.ts";
import { type FileTable, hashAt } from "../data/file_table.ts";
import { readSplit, splitHash } from "../data/split_file.ts";
import { readSplitIndex, writeSplitIndex } from "../data/split_index.ts";

/** A split and the data set it was made of. */
export interface SplitData {
  readonly split: Split;
  readonly dataset: Dataset;
  /** SHA-256 of the split's content: what a run's results depend on. */
  readonly sha256: string;
  /** Files and hashes in the order of the data set's samples, where an index has them. */
  readonly table?: FileTable;
}

/**
 * Opens a split file and its data set by the index beside the split. The first time parses both and
 * leaves it there; it serves as long as neither has changed.
 *
 * @throws LetheError they do not belong together
 */
export async function openSplit(splitPath: string, data: string): Promise<SplitData> {
  const indexed = readSplitIndex(splitPath, data);
  if (indexed) return indexed;
  const split = await readSplit(splitPath);
  const dataset = await openSplitDataset(split, data);
  const sha256 = splitHash(split);
  // Where it cannot be written, the next command parses again.
  await writeSplitIndex(splitPath, data, split, dataset, sha256).catch(() => {});
  return readSplitIndex(splitPath, data) ?? { split, dataset, sha256 };
}

/** SHA-256 of a sample's image, as the split recorded it. */
export function hashOf({ split, table }: SplitData, { file, row }: Sample): string {
  return table && row !== undefined ? hashAt(table, row) : split.hashes[file];
}

/**
 * Starts a thread that loads a split's images while the device computes, each held against its hash.
 *
 * @param cache a folder that keeps decoded images
 */
export function streamSamples({ split, dataset, table }: SplitData, cache?: string): InputThread {
  const count = dataset.samples.length;
  return openInput(dataset.root, count, {
    // A table brings its own.
    ...(table ? {} : { hashes: split.hashes }),
    ...(cache === undefined ? {} : { cache }),
  });
}
