import { LetheError } from "../../error.ts";
import type { Dataset, Sample } from "../sample.ts";

/** What a layout's files say, before a choice of labels. */
export type LayoutContent = Pick<Dataset, "task" | "labels" | "samples" | "absent">;

/** The largest label file that is read (CelebA's attributes take 26 MB). */
export const MAX_LABEL_BYTES = 256 * 2 ** 20;

/** A label file's row about one image. */
export interface LabelledRow extends Sample {
  /** The label file and line, for errors. */
  readonly where: string;
}

/**
 * Holds label rows against the images that are there: every image must have exactly one row; rows
 * whose images are absent are left out and counted (CelebA is often kept in part).
 *
 * @param rows one per image, in any order
 * @param images paths relative to the data set's root
 * @param labelFile its name, for errors
 * @returns samples sorted by file
 * @throws {LetheError} when a file has two rows, an image has none, or no row has its image
 */
export function matchRows(
  rows: readonly LabelledRow[],
  images: ReadonlySet<string>,
  labelFile: string,
): { samples: Sample[]; absent: number } {
  const seen = new Map<string, string>();
  const samples: Sample[] = [];
  for (const { where, file, identity, targets } of rows) {
    const earlier = seen.get(file);
    if (earlier) throw duplicateRow(where, file, earlier);
    seen.set(file, where);
    if (images.has(file)) samples.push({ file, identity, targets });
  }
  for (const image of images) {
    if (seen.has(image)) continue;
    throw new LetheError(
      `${image} has no row in ${labelFile}`,
      "every image needs its labels",
      "add the row or remove the image",
    );
  }
  samples.sort((a, b) => a.file < b.file ? -1 : 1);
  return { samples, absent: rows.length - samples.length };
}

/** The error for a second row about the same file. */
export function duplicateRow(where: string, file: string, earlier: string): LetheError {
  return new LetheError(
    `${where} names ${file} again (first: ${earlier})`,
    "an image has one row",
    "remove one of the two",
  );
}
