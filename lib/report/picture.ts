import { join } from "@std/path";
import { decodeImage, MAX_IMAGE_BYTES } from "../data/images/decode_image.ts";
import { encodePng } from "../data/images/encode_png.ts";
import { readPlainFile } from "../files/plain_file.ts";
import { resizeBilinear } from "../data/images/resize.ts";
import { html, type Markup } from "./markup.ts";

/** Pixels a side. */
const SIDE = 96;

/**
 * A small picture of a photograph, within the page itself. It is decoded and encoded anew, so that
 * nothing but its pixels comes along (no EXIF, no place, no camera).
 *
 * @param root the data set's folder
 * @param file below it
 * @param caption what it shows
 * @throws {LetheError} when the file is missing or does not decode
 */
export async function picture(root: string, file: string, caption: string): Promise<Markup> {
  const path = join(root, file);
  const remedy = "restore the image, or leave --include-images out";
  const bytes = await readPlainFile(path, { maxBytes: MAX_IMAGE_BYTES, remedy });
  const rgb = resizeBilinear(decodeImage(bytes, path), SIDE);
  const data = encodePng({ width: SIDE, height: SIDE, rgb }).toBase64();
  return html`
    <img src="data:image/png;base64,${data}" width="${SIDE}" height="${SIDE}"
      alt="${caption}" title="${caption}">
  `;
}
