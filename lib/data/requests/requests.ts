import { join } from "@std/path";
import { MAX_IMAGE_BYTES } from "../images/decode_image.ts";
import { decodeToForm, type StoredForm } from "../images/stored_form.ts";
import { readPlainFile } from "../../files/plain_file.ts";
import {
  type LabelSet,
  readRequestRows,
  type RequestFiles,
  type RequestRow,
} from "./request_rows.ts";
import { sha256Hex } from "../../files/sha256.ts";

/** One image of a person who asks to be forgotten. */
export interface ForgetRequest extends RequestRow {
  /** Of the image file's bytes. */
  readonly sha256: string;
  /** [side, side, 3] bytes in sRGB. */
  readonly rgb: Uint8Array;
}

/**
 * Reads a folder of requests: a JPEG, PNG or WebP per person, named after the identity (and further ones
 * `identity.2.jpg`, ..), or named by a `requests.csv` with the columns file and identity and, if labels
 * are given, one column per label of the model (1 or 0) or one column `class`. Nothing else may lie in
 * the folder, so that nobody's request is passed over in silence.
 *
 * @param folder the requests
 * @param model whose labels the targets are
 * @param form what the images are resized to, each as it is read: of all of them no more than that is kept
 * @param files those of the folder, where they are known and the folder itself may not be looked into
 * @returns sorted by file name
 * @throws {LetheError} when the folder is missing or empty, an image does not decode, rows and files do
 *   not match, or the label columns are not the model's
 */
export async function readRequests(
  folder: string,
  model: LabelSet,
  form: StoredForm,
  files?: RequestFiles,
): Promise<ForgetRequest[]> {
  const requests: ForgetRequest[] = [];
  for (const row of await readRequestRows(folder, model, files)) {
    const path = join(folder, row.file);
    const bytes = await readPlainFile(path, { maxBytes: MAX_IMAGE_BYTES });
    requests.push({ ...row, sha256: sha256Hex(bytes), rgb: decodeToForm(bytes, path, form) });
  }
  return requests;
}
