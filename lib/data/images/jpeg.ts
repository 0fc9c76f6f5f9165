import { LetheError } from "../../error.ts";
import { type Orientation, readOrientation } from "./exif.ts";
import { decodeFirstFormat } from "./jpeg_first_format.ts";
import { END, isComplete, isFrame, type JpegSegment, jpegSegments, SCAN } from "./jpeg_segments.ts";
import { decodeWithTurbo } from "./jpeg_turbo.ts";
import { xmpOrientation } from "./xmp.ts";

/** What a JPEG's markers say before any pixel is decoded. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  readonly orientation: Orientation;
  /** Colour components: 1 grey, 3, or 4 of ink. */
  readonly components: number;
}

/** How a JPEG is decoded. */
export interface JpegOptions {
  /** Shrinks while decoding to a half, quarter or eighth, as far as no side falls below this. */
  readonly least?: number;
  /** As models of input format 1 see it: in full, by another decoder. */
  readonly firstFormat?: boolean;
}

/**
 * Reads the markers up to the first scan.
 *
 * @param bytes the file, beginning with FF D8
 * @param name the file's name, for errors
 * @throws {LetheError} when the markers are damaged or the frame is of a kind that is not decoded
 */
export function readJpegHeader(bytes: Uint8Array, name: string): JpegHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let exif: Orientation | undefined;
  let xmp: Orientation | undefined;
  let frame: Omit<JpegHeader, "orientation"> | undefined;
  for (const { marker, content, end } of jpegSegments(bytes)) {
    if (marker === SCAN || marker === END) break;
    const segment = bytes.subarray(content, end);
    if (isFrame(marker)) {
      if (frame || segment.length < 6) throw damaged(name);
      refuseUnreadableFrame(marker, segment[0], segment[5], name);
      const [height, width] = [view.getUint16(content + 1), view.getUint16(content + 3)];
      frame = { width, height, components: segment[5] };
    } else if (marker === 0xe1) {
      // Cameras write the orientation anywhere before the pixels.
      if (begins(segment, "Exif\0")) exif ??= readOrientation(segment.subarray(6)) ?? undefined;
      else xmp ??= xmpOrientation(segment) ?? undefined;
    }
  }
  if (!frame) throw damaged(name);
  return { ...frame, orientation: exif ?? xmp ?? 1 };
}

/**
 * Decodes a JPEG (baseline or progressive; grey, YCbCr, RGB, CMYK or YCCK) to RGB as stored, not
 * turned upright. Ink is taken to be stored inverted, as Photoshop does and browsers assume.
 *
 * @param bytes the file
 * @param header what {@link readJpegHeader} gave, its size already found acceptable
 * @param name the file's name, for errors
 * @returns pixels [height, width, 3], of the file's size, or smaller where `least` allows it
 * @throws {LetheError} when the image is truncated or damaged; the next decode is not affected
 */
export function decodeJpeg(
  bytes: Uint8Array,
  header: JpegHeader,
  name: string,
  { least, firstFormat = false }: JpegOptions = {},
): { width: number; height: number; rgb: Uint8Array } {
  const segments = [...jpegSegments(bytes)];
  if (!isComplete(bytes, segments)) throw damaged(name);
  const parts = codecParts(bytes, segments, header.components);
  const ink = header.components === 4;
  if (firstFormat && !contradictsItself(bytes, segments)) {
    const first = decodeFirstFormat(bytes, header);
    // The other codec takes a file that is cut and closed again; an eighth is enough to find out.
    if (first && decodeWithTurbo(parts, scaled(header, 8), ink)) {
      const { width, height } = header;
      return { width, height, rgb: toRgb(first.pixels, first.channels, (value) => 255 - value) };
    }
  }
  const size = scaled(header, firstFormat || least === undefined ? 1 : shrinkage(header, least));
  const pixels = decodeWithTurbo(parts, size, ink);
  if (!pixels) throw damaged(name);
  return { ...size, rgb: toRgb(pixels, ink ? 4 : 3, (value) => value) };
}

/** The largest of 1, 2, 4 and 8 by which both sides can be divided and stay at `least`. */
function shrinkage({ width, height }: { width: number; height: number }, least: number): number {
  return [8, 4, 2].find((by) => Math.min(width, height) >= least * by) ?? 1;
}

function scaled({ width, height }: { width: number; height: number }, by: number) {
  return { width: Math.ceil(width / by), height: Math.ceil(height / by) };
}

/** What the codec is given: the picture, and of the rest what tells its colours, where that makes sense. */
function codecParts(
  bytes: Uint8Array,
  segments: readonly JpegSegment[],
  components: number,
): Uint8Array[] {
  const parts = [bytes.subarray(0, 2)];
  segments.forEach(({ marker, start, content, end }, i) => {
    const segment = bytes.subarray(content, end);
    const application = (marker >= 0xe0 && marker <= 0xef) || marker === 0xfe;
    const jfif = marker === 0xe0 && begins(segment, "JFIF\0") && segment[5] === 1;
    const transform = marker === 0xee && begins(segment, "Adobe") ? segment[11] : undefined;
    const adobe = transform !== undefined && (components === 3 ? transform < 2 : transform !== 1);
    if (application && !jfif && !adobe) return;
    // A scan's compressed pixels go with it.
    parts.push(bytes.subarray(start, marker === SCAN ? segments[i + 1].start : end));
  });
  return parts;
}

/**
 * Whether the file tells its colours in a way that decoders disagree on: JFIF, whose colours are YCbCr,
 * beside an Adobe marker; components that are called R, G and B; ink without an Adobe marker.
 */
function contradictsItself(bytes: Uint8Array, segments: readonly JpegSegment[]): boolean {
  const content = (marker: number, start: string) =>
    segments.map((segment) => bytes.subarray(segment.content, segment.end))
      .some((segment, i) => segments[i].marker === marker && begins(segment, start));
  const [jfif, adobe] = [content(0xe0, "JFIF\0"), content(0xee, "Adobe")];
  const frame = segments.find(({ marker }) => isFrame(marker))!;
  const [count, red, , , green, , , blue] = bytes.subarray(frame.content + 5, frame.end);
  const named = count === 3 && String.fromCharCode(red, green, blue) === "RGB";
  return (jfif && adobe) || (named && !adobe) || (count === 4 && !adobe);
}

/** @param stored 255 (no ink) to 0 (full) of a stored value */
function toRgb(pixels: Uint8Array, channels: number, stored: (value: number) => number) {
  if (channels === 3) return pixels;
  const count = pixels.length / channels;
  const rgb = new Uint8Array(3 * count);
  for (let pixel = 0; pixel < count; pixel++) {
    const from = channels * pixel;
    const paper = channels === 1 ? 0 : stored(pixels[from + 3]);
    for (let channel = 0; channel < 3; channel++) {
      rgb[3 * pixel + channel] = channels === 1
        ? pixels[from]
        : Math.round(stored(pixels[from + channel]) * paper / 255);
    }
  }
  return rgb;
}

function begins(segment: Uint8Array, text: string): boolean {
  return segment.length >= text.length &&
    [...text].every((letter, index) => segment[index] === letter.charCodeAt(0));
}

function refuseUnreadableFrame(
  marker: number,
  precision: number,
  components: number,
  name: string,
): void {
  const kind = marker >= 0xc9
    ? "arithmetic coding"
    : marker > 0xc2
    ? "lossless or hierarchical coding"
    : precision !== 8
    ? `${precision} bits per sample`
    : ![1, 3, 4].includes(components)
    ? `${components} colour components`
    : undefined;
  if (!kind) return;
  throw new LetheError(
    `${name} is a JPEG with ${kind}`,
    "baseline and progressive JPEGs of 8 bits are read, grey, in colour or in ink",
    "save it again as an ordinary JPEG or as PNG",
  );
}

function damaged(name: string, cause?: unknown): LetheError {
  return new LetheError(
    `${name} is a truncated or damaged JPEG`,
    "an image must decode in full",
    "copy it again from its source or remove it",
    { cause },
  );
}
