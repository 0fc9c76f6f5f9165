import { describeDuplicates, findDuplicates } from "../data/duplicates.ts";
import { openHashes } from "../data/file_hashes.ts";
import { examineImages, filesOf, refuseBroken } from "../data/loader/examine_images.ts";
import { labelNotes } from "../data/label_notes.ts";
import { openDataset } from "../data/open_dataset.ts";
import { refuseWithinDataset } from "../data/outside_dataset.ts";
import { columnsOf, packedSamples } from "../data/packed_samples.ts";
import { exportRequests } from "../data/requests/export_requests.ts";
import type { Dataset, DatasetName } from "../data/sample.ts";
import { withHashes, writeSplitIndex } from "../data/split_index.ts";
import { drawSplit, IDENTITY_PARTS, type Split } from "../data/split.ts";
import { writePackedSplit } from "../data/write_packed_split.ts";
import { finishBeforeExit } from "../files/finish_before_exit.ts";
import { refuseExisting } from "../files/write_whole.ts";
import type { OnProgress } from "./progress.ts";

/** What {@link splitDataset} needs. */
export interface SplitOptions {
  readonly dataset: DatasetName;
  /** The data set's folder. */
  readonly data: string;
  /** People to forget. */
  readonly forget: number;
  readonly seed: number;
  /** Split file to make. */
  readonly out: string;
  /** Folder to make for the support images. */
  readonly requests?: string;
  /** Labels to keep; default all. */
  readonly attributes?: readonly string[] | undefined;
  /** Tries whether each image decodes. */
  readonly check: boolean;
  readonly onProgress?: OnProgress | undefined;
}

/** A split, and what its maker should know. */
export interface MadeSplit {
  readonly split: Split;
  readonly dataset: Dataset;
  /** Lines about images that are left out or come twice. */
  readonly notes: readonly string[];
}

/**
 * Splits a data set by identity and writes the split and, if asked to, its requests.
 *
 * @throws {LetheError} bad input; an image that does not decode; a path that exists
 */
export async function splitDataset(options: SplitOptions): Promise<MadeSplit> {
  const { out, requests, forget, seed, attributes, check, onProgress } = options;
  await refuseExisting(out);
  if (requests !== undefined) {
    await refuseExisting(requests);
    await refuseWithinDataset(requests, options.data);
  }
  const opened = await openDataset(options.dataset, options.data, { attributes });
  const { task, labels, root } = opened;
  const columns = columnsOf(opened.samples, task, labels.length);
  const dataset = { ...opened, samples: packedSamples(columns) };
  const stage = check ? "hash and check" : "hash";
  const examined = await examineImages(root, filesOf(dataset.samples), {
    decode: check,
    onProgress: (done, total) => onProgress?.({ stage, done, total, unit: "images" }),
  });
  refuseBroken(root, examined);
  const { hashes } = examined;
  const drawn = drawSplit(dataset, { forget, seed, hashes });
  const files = { table: columns.table, hashes };
  const written = await finishBeforeExit(async () => {
    if (requests !== undefined) {
      using reader = openHashes(hashes);
      await exportRequests(drawn, dataset, requests, ({ row }) => reader.at(row!));
    }
    return await writePackedSplit(out, drawn, files);
  });
  // The next command opens it without parsing; where it cannot be written, by parsing.
  await writeSplitIndex(out, options.data, { ...written, split: drawn, dataset, hashes })
    .catch(() => {});
  const notes = [
    ...absentNotes(dataset),
    ...labelNotes(dataset),
    ...duplicateNotes(dataset, drawn, hashes),
  ];
  return { split: withHashes(drawn, files), dataset, notes };
}

function absentNotes({ absent, unread }: Dataset): string[] {
  const formats = unread.map(({ format, rows, remedy }) =>
    `${rows} rows of the label files name ${format}, which is not read, and were left out; ` +
    `convert them: ${remedy}`
  );
  const gone = absent - unread.reduce((sum, { rows }) => sum + rows, 0);
  if (gone === 0) return formats;
  return [`${gone} rows of the label files have no image and were left out`, ...formats];
}

function duplicateNotes(
  dataset: Dataset,
  split: Pick<Split, "identities">,
  hashes: Uint8Array,
): string[] {
  const duplicates = findDuplicates(dataset.samples, hashes);
  if (duplicates.length === 0) return [];
  const parts = new Map(
    IDENTITY_PARTS.flatMap((part) => split.identities[part].map((identity) => [identity, part])),
  );
  return [
    ...describeDuplicates(duplicates, (identity) => parts.get(identity)!),
    "none of these is a support image",
  ];
}
