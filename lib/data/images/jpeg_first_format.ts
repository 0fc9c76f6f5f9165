import jpegModule from "imagescript/jpeg" with { type: "bytes" };

/**
 * The part of the codec's interface that is used: the Rust crate jpeg-decoder behind plain pointers. It
 * made the pixels of models before input format 2, which stay as they were.
 */
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
 * Decodes a JPEG as input format 1 had it.
 *
 * @param bytes the file
 * @param size what its header says
 * @returns [height, width, channels] with 1 (grey), 3 (RGB) or 4 channels (ink: 0 none, 255 full); null
 *   when it does not decode
 */
export function decodeFirstFormat(
  bytes: Uint8Array,
  { width, height }: { width: number; height: number },
): { pixels: Uint8Array; channels: number } | null {
  compiled ??= new WebAssembly.Module(jpegModule);
  codec ??= new WebAssembly.Instance(compiled).exports as unknown as Codec;
  const { memory, walloc, decode, decode_free, wlen, ...image } = codec;
  try {
    const input = walloc(bytes.length);
    new Uint8Array(memory.buffer, input, bytes.length).set(bytes);
    const pointer = decode(input, bytes.length, 0, 0);
    if (pointer === 0 || pointer === 1) return null;
    const channels = CHANNELS[image.decode_format(pointer)];
    const start = image.decode_buffer(pointer);
    const pixels = new Uint8Array(memory.buffer, start, wlen()).slice();
    const fits = image.decode_width(pointer) === width &&
      image.decode_height(pointer) === height && pixels.length === width * height * channels;
    decode_free(pointer);
    return fits ? { pixels, channels } : null;
  } catch {
    codec = undefined; // it stopped half-way (a Rust panic): its memory is in no known state
    return null;
  } finally {
    if (memory.buffer.byteLength > KEPT_MEMORY) codec = undefined;
  }
}
