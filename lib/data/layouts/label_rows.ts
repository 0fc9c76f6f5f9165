import { LetheError } from "../../error.ts";
import { fileAt, fileCount, type FileTable, rowOf } from "../file_table.ts";
import { packedSamples } from "../packed_samples.ts";
import type { Samples, Task, UnreadRows } from "../sample.ts";
import { TargetTable } from "../target_table.ts";
import type { ImageListing } from "./image_listing.ts";
import { duplicateRow, whereIn } from "./layout.ts";

/** What a label file's row says of an image. */
export interface LabelRow {
  /** Relative to the data set's root. */
  readonly file: string;
  readonly identity: string;
  readonly targets: ArrayLike<number>;
  /** Of the label file, from 1 on. */
  readonly line: number;
}

/**
 * Holds label rows against the images that are there: every image must have exactly one row; rows
 * whose images are absent are left out and counted (CelebA is often kept in part). Names are the same
 * where their letters are, composed (as most systems write them) or taken apart (as macOS does). Rows
 * come in any order and are packed as they come: as objects, those of a large data set would take a
 * hundred megabytes.
 */
export class LabelRows {
  readonly #listing: ImageListing;
  readonly #path: string;
  readonly #targets: TargetTable;
  readonly #owners: Uint32Array;
  /** Of each image, the line of its row; 0 before it came. */
  readonly #lines: Uint32Array;
  readonly #people = new People();
  /** By a name's composed form, the one that the disk has, where it is another. */
  readonly #takenApart: ReadonlyMap<string, string>;
  /** Rows without an image: lines by file. */
  readonly #absent = new Map<string, number>();
  #next = 0;

  /** @param path the label file, for errors */
  constructor(listing: ImageListing, path: string, task: Task, labels: number) {
    const { images } = listing;
    const count = fileCount(images);
    this.#listing = listing;
    this.#path = path;
    this.#targets = TargetTable.ofRows(task, labels, count);
    this.#owners = new Uint32Array(count);
    this.#lines = new Uint32Array(count);
    this.#takenApart = takenApart(images);
  }

  /**
   * @throws {LetheError} a second row about a file, or an identity that is another one but for white space
   *   or Unicode's forms
   */
  add({ file, identity, targets, line }: LabelRow): void {
    const person = this.#people.place(identity, line, this.#path);
    const image = this.#find(file);
    const earlier = image < 0 ? this.#absent.get(file) : this.#lines[image];
    if (earlier) {
      const where = whereIn(this.#path, line);
      throw duplicateRow(where, file, whereIn(this.#path, earlier));
    }
    if (image < 0) return void this.#absent.set(file, line);
    this.#lines[image] = line;
    this.#owners[image] = person;
    this.#targets.set(image, targets);
    this.#next = image + 1;
  }

  /**
   * @param labelFile its name, for the error
   * @returns samples sorted by file, under the files' own names
   * @throws {LetheError} an image without a row
   */
  finish(labelFile: string): { samples: Samples; absent: number; unread: UnreadRows[] } {
    const { images, unread } = this.#listing;
    const known = this.#lines.reduce((sum, line) => sum + (line > 0 ? 1 : 0), 0);
    const rows = new Uint32Array(known);
    let count = 0;
    let [first, more] = ["", 0];
    this.#lines.forEach((line, row) => {
      if (line > 0) return void (rows[count++] = row);
      const image = fileAt(images, row);
      // Data sets from before WebP was read may have some that no row speaks of.
      if (/\.webp$/i.test(image)) return;
      if (first === "") first = image;
      else more++;
    });
    if (first !== "") {
      throw new LetheError(
        more === 0
          ? `${first} has no row in ${labelFile}`
          : `${first} and ${more} more images have no row in ${labelFile}`,
        "every image needs its labels",
        more === 0 ? "add the row or remove the image" : "add the rows or remove the images",
      );
    }
    const absent = unread.length === 0
      ? new Set<string>()
      : new Set([...this.#absent.keys()].map((file) => file.normalize("NFC")));
    const withRow = unread.map(({ format, files }) => {
      const named = files.filter((file) => absent.has(file.normalize("NFC")));
      return { format: format.name, rows: named.length, remedy: format.convert(named[0] ?? "") };
    });
    const [owners, targets, people] = [this.#owners, this.#targets, this.#people.names];
    const columns = { table: images, owners, targets, people };
    return {
      samples: packedSamples(columns, known === fileCount(images) ? undefined : rows),
      absent: this.#absent.size,
      unread: withRow.filter(({ rows }) => rows > 0),
    };
  }

  /** An image by the name that a row gives it. */
  #find(written: string): number {
    const { images } = this.#listing;
    // Rows mostly come in the files' order.
    const row = rowOf(images, written, this.#next);
    if (row >= 0) return row;
    const composed = written.normalize("NFC");
    const other = this.#takenApart.get(composed) ?? composed;
    return other === written ? -1 : rowOf(images, other, this.#next);
  }
}

function takenApart(images: FileTable): Map<string, string> {
  const others = new Map<string, string>();
  const isAscii = (bytes: Uint8Array) => bytes.every((byte) => byte < 0x80);
  if (isAscii(images.names) && isAscii(new TextEncoder().encode(images.folder))) return others;
  for (let row = 0; row < fileCount(images); row++) {
    const image = fileAt(images, row);
    const composed = image.normalize("NFC");
    if (composed !== image) others.set(composed, image);
  }
  return others;
}

/** Everybody whom rows name, by their place. */
class People {
  readonly names: string[] = [];
  readonly #places = new Map<string, number>();
  /** Whom each plain spelling stands for, and the line of its first row. */
  readonly #spellings = new Map<string, { readonly identity: string; readonly line: number }>();

  /**
   * Two people whose names differ in what nobody sees would be two people to whoever asks for one.
   *
   * @throws {LetheError} somebody who is spelt in another way
   */
  place(identity: string, line: number, path: string): number {
    const known = this.#places.get(identity);
    if (known !== undefined) return known;
    const plain = identity.normalize("NFC").replaceAll(INVISIBLE, "");
    const other = this.#spellings.get(plain);
    if (other) {
      throw new LetheError(
        `${whereIn(path, line)} has the identity ${shown(identity)}, and ` +
          `${whereIn(path, other.line)} ${shown(other.identity)}`,
        "they differ only in what cannot be seen (outer white space, Unicode's forms), and each would " +
          "be a person",
        "write a person's identity in one way",
      );
    }
    // A string of its own: what was cut out of a file's text keeps all of that in memory.
    const own = new TextDecoder().decode(new TextEncoder().encode(identity));
    this.#spellings.set(plain, { identity: own, line });
    this.#places.set(own, this.names.length);
    return this.names.push(own) - 1;
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
