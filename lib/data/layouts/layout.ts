import { LetheError } from "../../error.ts";
import type { Dataset, Sample, UnreadRows } from "../sample.ts";
import { LabelledSample, type TargetTable } from "../target_table.ts";
import type { ImageListing } from "./image_listing.ts";

/** What a layout's files say, before a choice of labels. */
export type LayoutContent =
  & Pick<Dataset, "task" | "labels" | "samples" | "absent" | "unread">
  & {
    /** The folder that files are relative to, where it is not the one that was named. */
    readonly root?: string;
  };

/** The largest label file that is read (CelebA's attributes take 26 MB). */
export const MAX_LABEL_BYTES = 256 * 2 ** 20;

/** A label file's row about one image. */
export class LabelledRow extends LabelledSample {
  /** The label file. */
  readonly #path: string;
  readonly #line: number;

  /** @param line of the label file, from 1 on @param row of its targets in the table */
  constructor(
    file: string,
    identity: string,
    table: TargetTable,
    row: number,
    path: string,
    line: number,
  ) {
    super(file, identity, table, row);
    this.#path = path;
    this.#line = line;
  }

  /** The label file and line, for errors. */
  get where(): string {
    return whereIn(this.#path, this.#line);
  }
}

/** A place in a text file, for errors. @param line from 1 on */
export function whereIn(path: string, line: number): string {
  return `${path} line ${line}`;
}

/**
 * Holds label rows against the images that are there: every image must have exactly one row; rows
 * whose images are absent are left out and counted (CelebA is often kept in part). Names are the same
 * where their letters are, composed (as most systems write them) or taken apart (as macOS does).
 *
 * @param rows one per image, in any order
 * @param listing paths relative to the data set's root
 * @param labelFile its name, for errors
 * @returns samples sorted by file, under the files' own names
 * @throws {LetheError} when a file has two rows, an image has none, or two identities are one but for
 *   white space or Unicode's forms
 */
export function matchRows(
  rows: readonly LabelledRow[],
  { images, unread }: ImageListing,
  labelFile: string,
): { samples: Sample[]; absent: number; unread: UnreadRows[] } {
  const seen = new Map<string, LabelledRow>();
  const samples: Sample[] = [];
  const absent = new Set<string>();
  const takenApart = new Map<string, string>();
  for (const image of images) {
    const composed = image.normalize("NFC");
    if (composed !== image) takenApart.set(composed, image);
  }
  const onDisk = (written: string) => {
    if (images.has(written)) return written;
    const composed = written.normalize("NFC");
    return images.has(composed) ? composed : takenApart.get(composed) ?? written;
  };
  refuseIdentitiesThatAreOne(rows);
  for (const row of rows) {
    const file = onDisk(row.file);
    const earlier = seen.get(file);
    if (earlier) throw duplicateRow(row.where, file, earlier.where);
    seen.set(file, row);
    if (images.has(file)) samples.push(row.named(file));
    else absent.add(file.normalize("NFC"));
  }
  for (const image of images) {
    // Data sets from before WebP was read may have some that no row speaks of.
    if (seen.has(image) || /\.webp$/i.test(image)) continue;
    throw new LetheError(
      `${image} has no row in ${labelFile}`,
      "every image needs its labels",
      "add the row or remove the image",
    );
  }
  samples.sort((a, b) => a.file < b.file ? -1 : 1);
  const withRow = unread.map(({ format, files }) => {
    const named = files.filter((file) => absent.has(file.normalize("NFC")));
    return { format: format.name, rows: named.length, remedy: format.convert(named[0] ?? "") };
  });
  return {
    samples,
    absent: rows.length - samples.length,
    unread: withRow.filter(({ rows }) => rows > 0),
  };
}

/** Two people whose names differ in what nobody sees would be two people to whoever asks for one. */
function refuseIdentitiesThatAreOne(rows: readonly LabelledRow[]): void {
  const spellings = new Map<string, LabelledRow>();
  const exact = new Set<string>();
  for (const row of rows) {
    if (exact.has(row.identity)) continue;
    exact.add(row.identity);
    const plain = row.identity.normalize("NFC").replaceAll(INVISIBLE, "");
    const other = spellings.get(plain);
    if (other) {
      throw new LetheError(
        `${row.where} has the identity ${shown(row.identity)}, and ${other.where} ` +
          shown(other.identity),
        "they differ only in what cannot be seen (outer white space, Unicode's forms), and each would " +
          "be a person",
        "write a person's identity in one way",
      );
    }
    spellings.set(plain, row);
  }
}

/** White space and zero-width characters at either end. */
const INVISIBLE = /^[\s\u200b-\u200d\u2060\ufeff]+|[\s\u200b-\u200d\u2060\ufeff]+$/g;

/** In quotes, with the code points of what is not ASCII, so that two forms look different. */
function shown(identity: string): string {
  return JSON.stringify(identity).replaceAll(
    /[^\x20-\x7e]/g,
    (letter) => "\\u" + letter.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

/** The error for a second row about the same file. */
export function duplicateRow(where: string, file: string, earlier: string): LetheError {
  return new LetheError(
    `${where} names ${file} again (first: ${earlier})`,
    "an image has one row",
    "remove one of the two",
  );
}
