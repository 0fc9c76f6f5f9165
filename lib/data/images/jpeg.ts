import jpegModule from "imagescript/jpeg" with { type: "bytes" };
import { LetheError } from "../../error.ts";
import { type Orientation, readOrientation } from "./exif.ts";

/** What a JPEG's markers say before any pixel is decoded. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  readonly orientation: Orientation;
}

/** The part of the codec's interface that is used: the Rust crate jpeg-decoder behind plain pointers. */
interface Codec {
  readonly memory: WebAssembly.Memory;
  walloc(size: number): number;
  /** Takes ownership of the input; 0 and 1 mean failure. A width and height of 0 mean full size. */
  decode(pointer: number, size: number, width: number, height: number): number;
  decode_width(image: number): number;
  decode_height(image: number): number;
  /** 0 grey, 1 RGB, 2 CMYK. */
  decode_format(image: number): number;
  /** The pixels; `wlen` then gives their length. */
  decode_buffer(image: number): number;
  wlen(): number;
  decode_free(image: number): void;
}

const CHANNELS = [1, 3, 4];
/** WASM memory never shrinks, so after a large image the instance is dropped. */
const KEPT_MEMORY = 64 * 2 ** 20;

let compiled: WebAssembly.Module | undefined;
let codec: Codec | undefined;

/**
 * Reads the markers up to the frame header.
 *
 * @param bytes the file, beginning with FF D8
 * @param name the file's name, for errors
 * @throws {LetheError} when the markers are damaged or the frame is of a kind that is not decoded
 */
export function readJpegHeader(bytes: Uint8Array, name: string): JpegHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let orientation: Orientation = 1;
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at++; // a fill byte
      continue;
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2; // markers without a length
      continue;
    }
    const length = view.getUint16(at + 2);
    const end = at + 2 + length;
    if (length < 2 || end > bytes.length || marker === 0xd9 || marker === 0xda) break;
    const segment = bytes.subarray(at + 4, end);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) {
      if (segment.length < 6) break;
      refuseUnreadableFrame(marker, segment[0], name);
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7), orientation };
    }
    if (marker === 0xe1 && startsWithExif(segment)) {
      orientation = readOrientation(segment.subarray(6));
    }
    at = end;
  }
  throw damaged(name);
}

/**
 * Decodes a JPEG (baseline or progressive; grey, YCbCr, RGB, CMYK or YCCK) to RGB as stored, not
 * turned upright.
 *
 * @param bytes the file
 * @param header what {@link readJpegHeader} gave, its size already found acceptable
 * @param name the file's name, for errors
 * @returns pixels [height, width, 3]
 * @throws {LetheError} when the image is truncated or damaged; the next decode is not affected
 */
export function decodeJpeg(bytes: Uint8Array, header: JpegHeader, name: string): Uint8Array {
  const { pixels, channels } = runCodec(bytes, header, name);
  if (channels === 3) return pixels;
  const count = header.width * header.height;
  const rgb = new Uint8Array(3 * count);
  for (let pixel = 0; pixel < count; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      // The codec gives ink (0 none, 255 full), Adobe's inversion undone.
      rgb[3 * pixel + channel] = channels === 1
        ? pixels[pixel]
        : Math.round((255 - pixels[4 * pixel + channel]) * (255 - pixels[4 * pixel + 3]) / 255);
    }
  }
  return rgb;
}

function runCodec(bytes: Uint8Array, { width, height }: JpegHeader, name: string) {
  compiled ??= new WebAssembly.Module(jpegModule);
  codec ??= new WebAssembly.Instance(compiled).exports as unknown as Codec;
  const { memory, walloc, decode, decode_free, wlen, ...image } = codec;
  try {
    const input = walloc(bytes.length);
    new Uint8Array(memory.buffer, input, bytes.length).set(bytes);
    const pointer = decode(input, bytes.length, 0, 0);
    if (pointer === 0 || pointer === 1) throw damaged(name);
    const channels = CHANNELS[image.decode_format(pointer)];
    const start = image.decode_buffer(pointer);
    const pixels = new Uint8Array(memory.buffer, start, wlen()).slice();
    const fits = image.decode_width(pointer) === width &&
      image.decode_height(pointer) === height && pixels.length === width * height * channels;
    decode_free(pointer);
    if (!fits) throw damaged(name);
    return { pixels, channels };
  } catch (error) {
    if (error instanceof LetheError) throw error;
    codec = undefined; // it stopped half-way (a Rust panic): its memory is in no known state
    throw damaged(name, error);
  } finally {
    if (memory.buffer.byteLength > KEPT_MEMORY) codec = undefined;
  }
}

function startsWithExif(segment: Uint8Array): boolean {
  return [0x45, 0x78, 0x69, 0x66, 0, 0].every((byte, index) => segment[index] === byte);
}

function refuseUnreadableFrame(marker: number, precision: number, name: string): void {
  const kind = marker >= 0xc9
    ? "arithmetic coding"
    : marker > 0xc2
    ? "lossless or hierarchical coding"
    : precision !== 8
    ? `${precision} bits per sample`
    : undefined;
  if (!kind) return;
  throw new LetheError(
    `${name} is a JPEG with ${kind}`,
    "baseline and progressive JPEGs of 8 bits are read",
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
