import turboModule from "@cwasm/jpeg-turbo/jpeg-turbo.wasm" with { type: "bytes" };

// libjpeg-turbo behind its TurboJPEG interface, as WebAssembly: no imports but stubs, so it can do
// nothing but compute.

interface Codec {
  readonly memory: WebAssembly.Memory;
  malloc(size: number): number;
  free(pointer: number): void;
  /** 0 means failure. */
  tjInitDecompress(): number;
  /**
   * Width and height may be smaller than the file's: the largest size that libjpeg scales to within them
   * is written then. 0 means that all went well, without even a warning.
   */
  tjDecompress2(
    decoder: number,
    input: number,
    size: number,
    output: number,
    width: number,
    pitch: number,
    height: number,
    format: number,
    flags: number,
  ): number;
}

/** TJPF_RGB and TJPF_CMYK. */
const RGB = 0;
const CMYK = 11;
/** TJFLAG_LIMITSCANS: a progressive file of thousands of scans would take minutes. */
const LIMIT_SCANS = 32768;
/** WASM memory never shrinks, so after a large image the instance is dropped. */
const KEPT_MEMORY = 64 * 2 ** 20;

let compiled: WebAssembly.Module | undefined;
let codec: { readonly exports: Codec; readonly decoder: number } | undefined;

/**
 * Decodes a JPEG with libjpeg-turbo (accurate DCT, smooth upsampling), as Pillow and torchvision do.
 *
 * @param parts the file's bytes, in pieces
 * @param size pixels to decode to: the file's, or its halves, quarters or eighths, rounded up
 * @param ink whether the file has four components; they come as stored then
 * @returns [height, width, 3] or, of ink, [height, width, 4]; null when the codec complained of anything
 */
export function decodeWithTurbo(
  parts: readonly Uint8Array[],
  { width, height }: { width: number; height: number },
  ink: boolean,
): Uint8Array | null {
  codec ??= start();
  const { exports: { memory, malloc, free, tjDecompress2 }, decoder } = codec;
  try {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const pitch = width * (ink ? 4 : 3);
    const input = malloc(length);
    const output = malloc(pitch * height);
    if (input === 0 || output === 0) throw new RangeError("no memory for the image");
    let at = input;
    for (const part of parts) {
      new Uint8Array(memory.buffer, at, part.length).set(part);
      at += part.length;
    }
    const format = ink ? CMYK : RGB;
    const failed = tjDecompress2(
      ...[decoder, input, length] as const,
      ...[output, width, pitch, height, format, LIMIT_SCANS] as const,
    );
    const pixels = failed ? null : new Uint8Array(memory.buffer, output, pitch * height).slice();
    free(input);
    free(output);
    return pixels;
  } catch {
    codec = undefined; // it stopped half-way (libjpeg's error exit): its memory is in no known state
    return null;
  } finally {
    if (memory.buffer.byteLength > KEPT_MEMORY) codec = undefined;
  }
}

function start() {
  compiled ??= new WebAssembly.Module(turboModule);
  const none = () => {
    throw new Error("the codec asked for a system call");
  };
  const exports = new WebAssembly.Instance(compiled, {
    env: {
      setjmp: () => 0,
      longjmp() {
        throw new Error("libjpeg gave up");
      },
    },
    wasi_snapshot_preview1: {
      environ_sizes_get: () => 0,
      environ_get: none,
      proc_exit: none,
      fd_close: none,
      fd_seek: none,
      fd_write: none,
    },
  }).exports as unknown as Codec;
  const decoder = exports.tjInitDecompress();
  if (decoder === 0) throw new Error("libjpeg-turbo does not start");
  return { exports, decoder };
}
