import { LetheError } from "../../error.ts";
import { type Orientation, upright } from "./exif.ts";
import { OTHER_FORMATS } from "./formats.ts";
import { decodeJpeg, type JpegOptions, readJpegHeader } from "./jpeg.ts";
import { decodeWebp, isWebp, readWebpHeader } from "./webp.ts";
import { decodePng, readPng } from "./png.ts";

/** A decoded picture: `rgb` holds [height, width, 3] bytes in sRGB as stored. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/** The largest image file that is read. */
export const MAX_IMAGE_BYTES = 64 * 2 ** 20;
/** The most pixels that are decoded: 64 megapixels. */
export const MAX_PIXELS = 64e6;
/** Fewer pixels a side than this are no picture of anybody. */
export const MIN_SIDE = 8;

/**
 * Decodes a JPEG, PNG or WebP, told apart by its first bytes and not by its name, and turns it upright.
 * The size in the header is checked before any pixel is decoded.
 *
 * @param bytes the file's content
 * @param name the file's name, for errors
 * @param options of JPEGs: how far they may shrink while they are decoded
 * @returns 8-bit RGB; grey, palette, 16-bit, CMYK and YCCK are converted, alpha is laid over white
 * @throws {LetheError} when the bytes are no such image, truncated or damaged, too small or large
 */
export function decodeImage(bytes: Uint8Array, name: string, options: JpegOptions = {}): Image {
  if (bytes.length > MAX_IMAGE_BYTES) {
    throw new LetheError(
      `${name} has ${bytes.length} bytes`,
      `an image file has at most ${MAX_IMAGE_BYTES}`,
      "save it smaller",
    );
  }
  if (bytes[0] === 0xff && bytes[1] === 0xd8) {
    const header = readJpegHeader(bytes, name);
    checkSize(header, name);
    return upright(decodeJpeg(bytes, header, name, options), header.orientation);
  }
  if (PNG_SIGNATURE.every((byte, index) => bytes[index] === byte)) {
    const png = readPng(bytes, name);
    checkSize(png.format, name);
    return turned(png.format, decodePng(png, name), png.orientation);
  }
  if (isWebp(bytes)) {
    const header = readWebpHeader(bytes, name);
    checkSize(header, name);
    return turned(header, decodeWebp(bytes, header, name), header.orientation);
  }
  const start = String.fromCharCode(...bytes.subarray(0, 64));
  const other = OTHER_FORMATS.find(({ begins }) => begins(start));
  throw new LetheError(
    bytes.length === 0
      ? `${name} is empty`
      : other
      ? `${name} is ${other.name}`
      : `${name} is not an image`,
    "images are JPEG, PNG or WebP files",
    other ? `convert it: ${other.convert(name)}` : "convert it to one of them or remove it",
  );
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

function checkSize({ width, height }: { width: number; height: number }, name: string): void {
  if (width < MIN_SIDE || height < MIN_SIDE) {
    throw new LetheError(
      `${name} is ${width} x ${height} pixels`,
      `an image has at least ${MIN_SIDE} a side`,
      "use a larger picture or remove it",
    );
  }
  if (width * height > MAX_PIXELS) {
    throw new LetheError(
      `${name} is ${width} x ${height} pixels`,
      `at most ${MAX_PIXELS / 1e6} million are decoded`,
      "scale it down first",
    );
  }
}

function turned(
  { width, height }: { width: number; height: number },
  rgb: Uint8Array,
  orientation: Orientation,
): Image {
  return upright({ width, height, rgb }, orientation);
}
