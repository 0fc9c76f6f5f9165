import { answerQuestions, questionsTo } from "../../threads/questions.ts";
import { joinBytes } from "../images/join_bytes.ts";
import type { Cut } from "../images/random_crop.ts";
import type { StoredForm } from "../images/stored_form.ts";
import type { HashedFiles } from "../file_hashes.ts";
import { type ImageFiles, type ImageLoader, openImageLoader } from "./image_loader.ts";
import { range } from "./image_source.ts";
import { type KeptImages, keptImages, type Room } from "./kept_images.ts";

/** Images of one side that an {@link InputThread} gives in batches. */
export interface StreamedImages {
  /** Pixels a side. */
  readonly side: number;
  /**
   * @param positions in the list of files
   * @param cuts one per image; null where they come as they are
   * @param imageSize side to cut to
   * @returns [b, imageSize, imageSize, 3], 0 to 255
   * @throws {LetheError} a file is missing, is not the one that was hashed, or does not decode
   */
  pixels(
    positions: readonly number[],
    cuts: readonly Cut[] | null,
    imageSize: number,
  ): Promise<Float32Array<ArrayBuffer>>;
  /** The images as they are, for the device to cut: what `joinBytes` gives of them. Throws likewise. */
  bytes(positions: readonly number[]): Promise<Uint8Array<ArrayBuffer>>;
  /** Begins to load images that will be asked for soon, when nothing else is asked for. */
  warm(positions: readonly number[]): void;
}

/** A thread that makes batches of image files while this one, or the device, computes. */
export interface InputThread extends Disposable {
  /**
   * @param files below the root, none twice; columns bring their hashes
   * @param form what they are decoded to
   * @param early decodes them when nothing else is asked for, before they are
   */
  images(files: readonly string[] | HashedFiles, form: StoredForm, early?: boolean): StreamedImages;
}

/** How an {@link InputThread} goes about it. */
export interface InputOptions extends ImageFiles {
  /** Bytes of pixels that are kept in memory, of all lists that fit; others are loaded each time. */
  readonly inMemory?: number;
  /** Gets a line when the cache takes no more. */
  readonly onNotice?: ((line: string) => void) | undefined;
}

/**
 * What the thread is told, and asked for (`join`, `batch`, `notice`: the line about the cache, once there is
 * one). Lists of images go by number.
 */
type Order =
  | { readonly notice: true }
  | { readonly open: { root: string; count: number; inMemory: number; options: ImageFiles } }
  | {
    readonly images: {
      list: number;
      files: readonly string[] | HashedFiles;
      form: StoredForm;
      early: boolean;
    };
  }
  | { readonly warm: { list: number; positions: readonly number[] } }
  | { readonly join: { list: number; positions: readonly number[] } }
  | {
    readonly batch: {
      list: number;
      positions: readonly number[];
      cuts: readonly Cut[] | null;
      imageSize: number;
    };
  };
/** Numbers that a batch was cut to, or images as they are. */
type Pixels = Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

const NAME = "lethe-input";

/**
 * Pixels that are kept in memory by default, bytes: 10,000 images of 32 px. Of a list that does not fit
 * nothing is kept: of many images a part is asked for again too rarely to be worth its room. Whoever wants
 * larger ones decoded once keeps them in a cache.
 */
const IN_MEMORY = 32 * 2 ** 20;

/**
 * Starts the thread. It reads, checks, decodes (by workers without permissions), resizes, cuts and
 * mirrors; it keeps decoded images in memory where all of a list fit, and takes others from the cache or
 * decodes them again, each file held against its hash.
 *
 * @param root the data set's folder
 * @param count images that will be asked for, about
 */
export function openInput(
  root: string,
  count: number,
  { inMemory = IN_MEMORY, onNotice, ...options }: InputOptions,
): InputThread {
  const worker = new Worker(import.meta.url, { type: "module", name: NAME });
  const thread = questionsTo<Order>(worker);
  let lists = 0;
  thread.tell({ open: { root, count, inMemory, options } });
  if (options.cache !== undefined && onNotice) {
    thread.ask<string>({ notice: true }).then(onNotice, () => {}); // closed without any
  }
  return {
    images(files, form, early = false) {
      const list = lists++;
      thread.tell({ images: { list, files, form, early } });
      return {
        side: form.side,
        pixels: (positions, cuts, imageSize) =>
          thread.ask<Float32Array<ArrayBuffer>>({ batch: { list, positions, cuts, imageSize } }),
        bytes: (positions) => thread.ask<Uint8Array<ArrayBuffer>>({ join: { list, positions } }),
        warm: (positions) => thread.tell({ warm: { list, positions } }),
      };
    },
    [Symbol.dispose]: () => thread[Symbol.dispose](),
  };
}

/** What the thread does, from orders to answers. */
function inputThread() {
  let loader: ImageLoader;
  let room: Room;
  /** Or what kept one from being opened, which nobody waits for: whoever asks for its images is told. */
  const lists = new Map<number, KeptImages | { readonly failed: unknown }>();
  const listOf = (number: number) => {
    const list = lists.get(number)!;
    if ("failed" in list) throw list.failed;
    return list;
  };
  /** First come, first served, as many at a time as keep the decoders busy. */
  const queue: (() => Promise<void>)[] = [];
  const early: (() => Promise<void>)[] = [];
  let busy = 0;
  const serve = () => {
    while (busy < loader.atOnce) {
      const next = queue.shift() ?? early.pop();
      if (!next) return;
      busy++;
      next().finally(() => {
        busy--;
        serve();
      });
    }
  };
  const load = (list: KeptImages, position: number) => {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    queue.push(() => list.load(position).then(resolve, reject));
    return promise;
  };
  const begin = (list: KeptImages, positions: readonly number[]) => {
    for (const position of positions) list.want(position);
    for (const position of positions.toReversed()) early.push(() => list.warm(position));
    serve();
  };
  const batchOf = async (
    list: KeptImages,
    positions: readonly number[],
    joined: (images: readonly Uint8Array[]) => Pixels | Promise<Pixels>,
  ) => {
    const loading = Promise.all(positions.map((position) => load(list, position)));
    serve();
    const images = await loading;
    const pixels = await joined(images);
    for (const image of images) list.release(image);
    return pixels;
  };
  const notice = Promise.withResolvers<string>();
  return async (order: Order): Promise<Pixels | string | null> => {
    if ("open" in order) {
      const { root, count, inMemory, options } = order.open;
      loader = openImageLoader(root, count, options, notice.resolve);
      room = { left: inMemory };
    } else if ("notice" in order) {
      return await notice.promise;
    } else if ("images" in order) {
      const { files, form } = order.images;
      try {
        const list = keptImages(loader, files, form, room);
        lists.set(order.images.list, list);
        if (order.images.early) begin(list, range(list.most));
      } catch (failed) {
        lists.set(order.images.list, { failed });
      }
    } else if ("warm" in order) {
      begin(listOf(order.warm.list), order.warm.positions);
    } else if ("join" in order) {
      return await batchOf(listOf(order.join.list), order.join.positions, joinBytes);
    } else {
      const { positions, cuts, imageSize } = order.batch;
      const list = listOf(order.batch.list);
      const cut = (images: readonly Uint8Array[]) => loader.cut(images, list.side, cuts, imageSize);
      return await batchOf(list, positions, cut);
    }
    return null;
  };
}

answerQuestions(
  NAME,
  inputThread(),
  (answer) => answer !== null && typeof answer !== "string" ? [answer.buffer] : [],
);
