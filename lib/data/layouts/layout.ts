import { LetheError } from "../../error.ts";
import type { Dataset } from "../sample.ts";

/** What a layout's files say, before a choice of labels. */
export type LayoutContent =
  & Pick<Dataset, "task" | "labels" | "samples" | "absent" | "unread">
  & {
    /** The folder that files are relative to, where it is not the one that was named. */
    readonly root?: string;
  };

/** The largest label file that is read (CelebA's attributes take 26 MB). */
export const MAX_LABEL_BYTES = 256 * 2 ** 20;

/** A place in a text file, for errors. @param line from 1 on */
export function whereIn(path: string, line: number): string {
  return `${path} line ${line}`;
}

/** The error for a second row about the same file. */
export function duplicateRow(where: string, file: string, earlier: string): LetheError {
  return new LetheError(
    `${where} names ${file} again (first: ${earlier})`,
    "an image has one row",
    "remove one of the two",
  );
}
