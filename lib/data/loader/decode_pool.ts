import { answerQuestions, questionsTo } from "../../threads/questions.ts";
import type { Image } from "../images/decode_image.ts";
import { freeBytes } from "../images/free_bytes.ts";
import type { Cut } from "../images/random_crop.ts";
import { resizeBilinear } from "../images/resize.ts";
import { decodeForForm, type FormImage, type StoredForm } from "../images/stored_form.ts";
import { cutInto } from "./batch_pixels.ts";

/** What a worker is asked for; pixels are written `into` memory that threads share. */
type Work =
  | { readonly decode: { bytes: Uint8Array<ArrayBuffer>; name: string; form: StoredForm } & Into }
  | { readonly resize: { image: Image; side: number } & Into }
  | { readonly cut: CutWork };
interface Into {
  readonly into: Uint8Array<SharedArrayBuffer>;
}

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
  /** Takes back pixels that nobody will look at again, for images to come. */
  release(pixels: Uint8Array): void;
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
/** Batches and images whose memory is kept for the next ones. */
const [SPARE_BATCHES, SPARE_IMAGES] = [4, 256];

/**
 * Shared memory that is used again. The collector does not count it, and frees it when other things have
 * piled up: hundreds of images later.
 */
function sharedMemory(most: number) {
  const spare: SharedArrayBuffer[] = [];
  return {
    take(bytes: number): SharedArrayBuffer {
      const at = spare.findIndex(({ byteLength }) => byteLength === bytes);
      return at < 0 ? new SharedArrayBuffer(bytes) : spare.splice(at, 1)[0];
    },
    /** Of different sizes the last ones are kept. */
    giveBack(memory: SharedArrayBuffer): void {
      spare.unshift(memory);
      spare.length = Math.min(spare.length, most);
    },
  };
}

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
    threads[next++ % workers].ask<Decoded | null>(work, transfer);
  const [batches, images] = [sharedMemory(SPARE_BATCHES), sharedMemory(SPARE_IMAGES)];
  const room = ({ side }: { side: number }) => new Uint8Array(images.take(side * side * 3));
  return {
    atOnce: 2 * workers,
    async decode(bytes, name, form) {
      const into = room(form);
      const decoded = await ask({ decode: { bytes, name, form, into } }, [bytes.buffer]);
      return { pixels: into, ...decoded! };
    },
    async resize(image, side) {
      const into = room({ side });
      await ask({ resize: { image, side, into } });
      return into;
    },
    release({ buffer }) {
      if (buffer instanceof SharedArrayBuffer) images.giveBack(buffer);
    },
    async cut(pictures, side, cuts, imageSize) {
      const size = imageSize * imageSize * 3;
      const out = new Float32Array(batches.take(pictures.length * size * 4));
      const each = Math.ceil(pictures.length / workers);
      const parts = Array.from(
        { length: Math.ceil(pictures.length / each) },
        (_, part) => [part * each, (part + 1) * each] as const,
      );
      await Promise.all(parts.map(([first, end]) =>
        ask({
          cut: {
            images: pictures.slice(first, end),
            cuts: cuts.slice(first, end),
            ...{ side, imageSize, out, first },
          },
        })
      ));
      const batch = new Float32Array(out); // tensors want memory of their own
      batches.giveBack(out.buffer);
      return batch;
    },
    [Symbol.dispose]() {
      for (const thread of threads) thread[Symbol.dispose]();
    },
  };
}

/** A {@link FormImage} whose pixels lie where they were asked for. */
type Decoded = Omit<FormImage, "pixels">;

/** What there is to say of an image, or null for pixels that were written into their place. */
function done(work: Work): Decoded | null {
  if ("decode" in work) {
    const { bytes, name, form, into } = work.decode;
    const { pixels, ...rest } = decodeForForm(bytes, name, form);
    into.set(pixels);
    freeBytes(bytes);
    return rest;
  }
  if ("resize" in work) {
    const { image, side, into } = work.resize;
    into.set(resizeBilinear(image, side));
    return null;
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
