import webpModule from "@cwasm/webp/webp.wasm" with { type: "bytes" };
import { LetheError } from "../../error.ts";
import { type Orientation, readOrientation } from "./exif.ts";

/** What a WebP's header says before any pixel is decoded. */
export interface WebpHeader {
  readonly width: number;
  readonly height: number;
  readonly orientation: Orientation;
}

/** libwebp as WebAssembly: no imports but stubs, so it can do nothing but compute. */
interface Codec {
  readonly memory: WebAssembly.Memory;
  malloc(size: number): number;
  free(pointer: number): void;
  /** RGBA; 0 means failure. */
  WebPDecodeRGBA(input: number, size: number, width: number, height: number): number;
}

/** WASM memory never shrinks, so after a large image the instance is dropped. */
const KEPT_MEMORY = 64 * 2 ** 20;
const ANIMATED = 0x02;

let compiled: WebAssembly.Module | undefined;
let codec: Codec | undefined;

/** Whether bytes begin as a WebP does. */
export function isWebp(bytes: Uint8Array): boolean {
  return ascii(bytes, 0) === "RIFF" && ascii(bytes, 8) === "WEBP";
}

/**
 * Reads a WebP's chunks.
 *
 * @param bytes the file, beginning as {@link isWebp} says
 * @param name the file's name, for errors
 * @throws {LetheError} when it is truncated or damaged, or moves
 */
export function readWebpHeader(bytes: Uint8Array, name: string): WebpHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length < 12 ? 0 : 8 + view.getUint32(4, true);
  if (end > bytes.length) throw damaged(name);
  let size: { width: number; height: number } | undefined;
  let orientation: Orientation = 1;
  for (let at = 12; at + 8 <= end;) {
    const type = ascii(bytes, at);
    const length = view.getUint32(at + 4, true);
    const content = at + 8;
    if (content + length > end) throw damaged(name);
    if (type === "VP8X" && length >= 10) {
      if (bytes[content] & ANIMATED) throw animated(name);
      const three = (from: number) => view.getUint16(from, true) + (bytes[from + 2] << 16);
      size = { width: three(content + 4) + 1, height: three(content + 7) + 1 };
    } else if (type === "VP8 " && length >= 10) {
      const side = (from: number) => view.getUint16(from, true) & 0x3fff;
      size ??= { width: side(content + 6), height: side(content + 8) };
    } else if (type === "VP8L" && length >= 5) {
      const bits = view.getUint32(content + 1, true);
      size ??= { width: (bits & 0x3fff) + 1, height: (bits >>> 14 & 0x3fff) + 1 };
    } else if (type === "EXIF") {
      orientation = readOrientation(bytes.subarray(content, content + length)) ?? 1;
    }
    at = content + length + length % 2;
  }
  if (!size) throw damaged(name);
  return { ...size, orientation };
}

/**
 * Decodes a WebP, lossy or lossless, over white where it is transparent.
 *
 * @param header what {@link readWebpHeader} gave, its size already found acceptable
 * @returns pixels [height, width, 3], as stored, not turned upright
 * @throws {LetheError} when the image is truncated or damaged
 */
export function decodeWebp(bytes: Uint8Array, header: WebpHeader, name: string): Uint8Array {
  codec ??= start();
  const { memory, malloc, free, WebPDecodeRGBA } = codec;
  try {
    const input = malloc(bytes.length);
    const size = malloc(8);
    if (input === 0 || size === 0) throw damaged(name);
    new Uint8Array(memory.buffer, input, bytes.length).set(bytes);
    const output = WebPDecodeRGBA(input, bytes.length, size, size + 4);
    free(input);
    const [width, height] = new Uint32Array(memory.buffer, size, 2);
    free(size);
    if (output === 0) throw damaged(name);
    const fits = width === header.width && height === header.height;
    const rgb = fits && overWhite(new Uint8Array(memory.buffer, output, 4 * width * height));
    free(output);
    if (!rgb) throw damaged(name);
    return rgb;
  } catch (error) {
    if (error instanceof LetheError) throw error;
    codec = undefined; // it stopped half-way: its memory is in no known state
    throw damaged(name, error);
  } finally {
    if (memory.buffer.byteLength > KEPT_MEMORY) codec = undefined;
  }
}

function start(): Codec {
  compiled ??= new WebAssembly.Module(webpModule);
  const none = () => {
    throw new Error("the codec asked for a system call");
  };
  return new WebAssembly.Instance(compiled, {
    wasi_snapshot_preview1: { fd_close: none, fd_seek: none, fd_write: none },
  }).exports as unknown as Codec;
}

function overWhite(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(rgba.length / 4 * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    const alpha = rgba[from + 3];
    for (let channel = 0; channel < 3; channel++) {
      rgb[to++] = Math.round(255 + (rgba[from + channel] - 255) * alpha / 255);
    }
  }
  return rgb;
}

function ascii(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function animated(name: string): LetheError {
  return new LetheError(
    `${name} is an animated WebP`,
    "an image is one still picture",
    "save one frame of it as JPEG or PNG",
  );
}

function damaged(name: string, cause?: unknown): LetheError {
  return new LetheError(
    `${name} is a truncated or damaged WebP`,
    "an image must decode in full",
    "copy it again from its source or remove it",
    { cause },
  );
}
