import { crc32, inflateSync } from "node:zlib";
import { LetheError } from "../../error.ts";
import { freeBytes } from "./free_bytes.ts";
import { type Orientation, readOrientation } from "./exif.ts";
import { packedLength, type PngFormat, toRgb, unpack } from "./png_pixels.ts";

// imagescript's own PNG decoder reads interlaced images, samples of 1, 2 or 4 bits, 16-bit samples
// with alpha and transparent colours wrong, and takes a truncated image without a word. So the few
// steps that PNG needs beyond zlib are done here.

/** A PNG's header and the chunks that decoding needs; no pixel has been decoded yet. */
export interface PngFile {
  readonly format: PngFormat;
  readonly orientation: Orientation;
  /** Compressed pixels: the IDAT chunks, in order. */
  readonly compressed: readonly Uint8Array[];
}

/** Bytes behind the last row that are passed over at least; otherwise as many as the rows have. */
const LEAST_SURPLUS = 2 ** 16;

/** Bit depths that each colour type may have (PNG, third edition, table 11.1). */
const DEPTHS: Record<number, readonly number[]> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

/**
 * Reads a PNG's chunks and checks their lengths and check sums.
 *
 * @param bytes the file, beginning with the eight bytes of PNG's signature
 * @param name the file's name, for errors
 * @throws {LetheError} when a chunk is truncated or damaged or the header is not PNG's
 */
export function readPng(bytes: Uint8Array, name: string): PngFile {
  const compressed: Uint8Array[] = [];
  let format: PngFormat | undefined;
  let orientation: Orientation = 1;
  for (const { type, data } of chunks(bytes, name)) {
    if (!format) {
      if (type !== "IHDR") throw damaged(name);
      format = readHeader(data, name);
    } else if (type === "PLTE") {
      if (data.length % 3 !== 0 || data.length > 768) throw damaged(name);
      format = { ...format, palette: data };
    } else if (type === "tRNS") {
      format = { ...format, transparency: data };
    } else if (type === "eXIf") {
      orientation = readOrientation(data) ?? 1;
    } else if (type === "IDAT") {
      compressed.push(data);
    } else if (type === "IEND") {
      if (format.colourType === 3 && !format.palette) throw damaged(name);
      return { format, orientation, compressed };
    }
  }
  throw damaged(name);
}

/**
 * Decodes a PNG of any colour type, depth and interlacing to 8-bit RGB, laid over white where it is
 * transparent; colour profiles and gamma are left aside, as torchvision does.
 *
 * @param png what {@link readPng} gave, its size already found acceptable
 * @param name the file's name, for errors
 * @returns pixels [height, width, 3], as stored, not turned upright
 * @throws {LetheError} when the pixels are truncated or damaged
 */
export function decodePng({ format, compressed }: PngFile, name: string): Uint8Array {
  const length = packedLength(format);
  let packed: Uint8Array;
  try {
    // The bound keeps a small file from unfolding to much more than its header admits to. Some programs
    // write a few bytes or rows too many, which every other reader passes over.
    const bound = length + Math.max(length, LEAST_SURPLUS);
    packed = inflateSync(concatenated(compressed), { maxOutputLength: bound });
  } catch (cause) {
    throw damaged(name, cause);
  }
  if (packed.length < length) throw damaged(name);
  const samples = unpack(packed.subarray(0, length), format);
  if (!samples) throw damaged(name);
  freeBytes(packed);
  const rgb = toRgb(samples, format);
  freeBytes(samples);
  if (!rgb) throw damaged(name);
  return rgb;
}

function* chunks(bytes: Uint8Array, name: string): Generator<{ type: string; data: Uint8Array }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const end = at + 8 + length;
    if (end + 4 > bytes.length) throw damaged(name);
    if (crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end)) throw damaged(name);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    yield { type, data: bytes.subarray(at + 8, end) };
    at = end + 4;
  }
}

function readHeader(data: Uint8Array, name: string): PngFormat {
  if (data.length !== 13) throw damaged(name);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [depth, colourType, compression, filtering, interlacing] = data.subarray(8);
  const valid = DEPTHS[colourType]?.includes(depth) && compression === 0 && filtering === 0 &&
    interlacing <= 1;
  if (!valid) throw damaged(name);
  return {
    width: view.getUint32(0),
    height: view.getUint32(4),
    depth,
    colourType,
    interlaced: interlacing === 1,
  };
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function damaged(name: string, cause?: unknown): LetheError {
  return new LetheError(
    `${name} is a truncated or damaged PNG`,
    "an image must decode in full",
    "copy it again from its source or remove it",
    { cause },
  );
}
