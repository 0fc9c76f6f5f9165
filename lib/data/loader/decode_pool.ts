import { answerQuestions, questionsTo } from "../../threads/questions.ts";
import type { Image } from "../images/decode_image.ts";
import type { Cut } from "../images/random_crop.ts";
import { resizeBilinear } from "../images/resize.ts";
import { decodeForForm, type FormImage, type StoredForm } from "../images/stored_form.ts";
import { cutInto } from "./batch_pixels.ts";

/** What a worker is asked for. */
type Work =
  | { readonly decode: { bytes: Uint8Array<ArrayBuffer>; name: string; form: StoredForm } }
  | { readonly resize: { image: Image; side: number } }
  | { readonly cut: CutWork };

/** Images of a batch to be cut into their places of it; the pixels are shared, not copied. */
interface CutWork {
  readonly images: readonly Uint8Array[];
  readonly side: number;
  readonly cuts: readonly Cut[];
  readonly imageSize: number;
  /** The batch, [b, imageSize, imageSize, 3], and the place of the first of the images. */
  readonly out: Float32Array;
  readonly first: number;
}

/** Decodes, resizes and cuts images on other threads. */
export interface DecodePool extends Disposable {
  /** Orders that keep every worker busy; who asks for more at a time only holds memory. */
  readonly atOnce: number;
  /**
   * @param bytes a whole file; taken over
   * @param name for errors
   * @returns as `decodeForForm` gives it, pixels in memory that threads share
   * @throws {LetheError} the image does not decode
   */
  decode(bytes: Uint8Array<ArrayBuffer>, name: string, form: StoredForm): Promise<FormImage>;
  /** @returns [side, side, 3] bytes, in memory that threads share */
  resize(image: Image, side: number): Promise<Uint8Array>;
  /**
   * As `batchPixels` with cuts, shared out among the workers.
   *
   * @param images [side, side, 3] bytes each
   * @returns [b, imageSize, imageSize, 3]
   */
  cut(
    images: readonly Uint8Array[],
    side: number,
    cuts: readonly Cut[],
    imageSize: number,
  ): Promise<Float32Array<ArrayBuffer>>;
}

const NAME = "lethe-decode";
/** Batches whose memory is kept for the next ones. */
const SPARE = 4;

/**
 * Starts workers that decode. They have no permission at all: bytes come in, pixels go out, so a
 * malicious image that took over a decoder would find itself in an empty room.
 */
export function openDecodePool(workers: number): DecodePool {
  const deno = { permissions: "none" } as const;
  const threads = Array.from(
    { length: workers },
    () => questionsTo<Work>(new Worker(import.meta.url, { type: "module", name: NAME, deno })),
  );
  let next = 0;
  const ask = (work: Work, transfer: Transferable[] = []) =>
    threads[next++ % workers].ask<FormImage | null>(work, transfer);
  // Batches are cut into memory that is used again: the collector frees shared memory late.
  const spare: SharedArrayBuffer[] = [];
  const room = (bytes: number) => {
    const at = spare.findIndex(({ byteLength }) => byteLength === bytes);
    return at < 0 ? new SharedArrayBuffer(bytes) : spare.splice(at, 1)[0];
  };
  return {
    atOnce: 2 * workers,
    async decode(bytes, name, form) {
      return (await ask({ decode: { bytes, name, form } }, [bytes.buffer]))!;
    },
    async resize(image, side) {
      return (await ask({ resize: { image, side } }))!.pixels;
    },
    async cut(images, side, cuts, imageSize) {
      const size = imageSize * imageSize * 3;
      const out = new Float32Array(room(images.length * size * 4));
      const each = Math.ceil(images.length / workers);
      const parts = Array.from(
        { length: Math.ceil(images.length / each) },
        (_, part) => [part * each, (part + 1) * each] as const,
      );
      await Promise.all(parts.map(([first, end]) =>
        ask({
          cut: {
            images: images.slice(first, end),
            cuts: cuts.slice(first, end),
            ...{ side, imageSize, out, first },
          },
        })
      ));
      const batch = new Float32Array(out); // tensors want memory of their own
      spare.unshift(out.buffer);
      spare.length = Math.min(spare.length, SPARE);
      return batch;
    },
    [Symbol.dispose]() {
      for (const thread of threads) thread[Symbol.dispose]();
    },
  };
}

/** An image, or null for a batch that was written into its place. */
function done(work: Work): FormImage | null {
  if ("decode" in work) {
    const { bytes, name, form } = work.decode;
    const decoded = decodeForForm(bytes, name, form);
    return { ...decoded, pixels: shared(decoded.pixels) };
  }
  if ("resize" in work) {
    const { image, side } = work.resize;
    const pixels = shared(resizeBilinear(image, side));
    return { pixels, height: image.height, smaller: null };
  }
  const { images, side, cuts, imageSize, out, first } = work.cut;
  cutInto(out, first, images, side, cuts, imageSize);
  return null;
}

/** Pixels where the threads that cut them can see them. */
export function shared(pixels: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(pixels.length));
  copy.set(pixels);
  return copy;
}

answerQuestions(NAME, done);
