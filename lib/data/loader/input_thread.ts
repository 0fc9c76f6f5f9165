import { batchPixels } from "./batch_pixels.ts";
import type { Cut } from "../images/random_crop.ts";
import type { StoredForm } from "../images/stored_form.ts";
import { type ImageFiles, type ImageLoader, openImageLoader } from "./image_loader.ts";
import { IN_MEMORY } from "./image_store.ts";
import { receiveError, sendError, type SentError } from "./worker_error.ts";

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
  ): Promise<Float32Array>;
}

/** A thread that makes batches of image files while this one, or the device, computes. */
export interface InputThread extends Disposable {
  /**
   * @param files below the root, none twice
   * @param form what they are decoded to
   * @param early decodes them when nothing else is asked for, before they are
   */
  images(files: readonly string[], form: StoredForm, early?: boolean): StreamedImages;
}

/** How an {@link InputThread} goes about it. */
export interface InputOptions extends ImageFiles {
  /** Bytes of pixels of each list that are kept in memory; others are loaded each time. */
  readonly inMemory?: number;
}

type Order =
  & { readonly id: number }
  & (
    | { readonly open: { root: string; count: number; options: ImageFiles } }
    | {
      readonly images: {
        files: readonly string[];
        form: StoredForm;
        early: boolean;
        inMemory: number;
      };
    }
    | {
      readonly batch: {
        images: number;
        positions: readonly number[];
        cuts: readonly Cut[] | null;
        imageSize: number;
      };
    }
  );
type Answer =
  & { readonly id: number }
  & ({ readonly pixels: Float32Array<ArrayBuffer> } | SentError);

const NAME = "lethe-input";

/**
 * Starts the thread. It reads, checks, decodes (by workers without permissions), resizes, cuts and
 * mirrors; it keeps decoded images in memory as far as they go, and takes the others from the cache or
 * decodes them again, each file held against its hash.
 *
 * @param root the data set's folder
 * @param count images that will be asked for, about
 */
export function openInput(
  root: string,
  count: number,
  { inMemory = IN_MEMORY, ...options }: InputOptions,
): InputThread {
  const worker = new Worker(import.meta.url, { type: "module", name: NAME });
  const waiting = new Map<number, PromiseWithResolvers<Float32Array>>();
  const fail = (error: Error) => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    const answer = waiting.get(data.id);
    waiting.delete(data.id);
    if ("pixels" in data) answer?.resolve(data.pixels);
    else answer?.reject(receiveError(data));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    fail(new Error(event.message));
  };
  let ids = 0;
  const send = (order: Order) => worker.postMessage(order);
  send({ id: ids++, open: { root, count, options } });
  return {
    images(files, form, early = false) {
      const images = ids++;
      send({ id: images, images: { files, form, early, inMemory } });
      return {
        side: form.side,
        pixels(positions, cuts, imageSize) {
          const answer = Promise.withResolvers<Float32Array>();
          const id = ids++;
          waiting.set(id, answer);
          send({ id, batch: { images, positions, cuts, imageSize } });
          return answer.promise;
        },
      };
    },
    [Symbol.dispose]() {
      worker.terminate();
      fail(new Error("the input thread was closed"));
    },
  };
}

/** Images of one list, those at the front kept once they are loaded. */
function keptImages(
  loader: ImageLoader,
  { files, form, inMemory }: { files: readonly string[]; form: StoredForm; inMemory: number },
) {
  const { side } = form;
  const size = side * side * 3;
  const kept: Uint8Array[] = [];
  const most = Math.min(files.length, Math.floor(inMemory / size));
  return {
    side,
    /** How many are kept in the end. */
    most,
    async load(position: number): Promise<Uint8Array> {
      if (kept[position]) return kept[position];
      const pixels = await loader.load(files[position], form);
      if (position < most) kept[position] = pixels;
      return pixels;
    },
  };
}

/** What the thread does, from orders to answers. */
function inputThread(answer: (answer: Answer) => void) {
  let loader: ImageLoader;
  const lists = new Map<number, ReturnType<typeof keptImages>>();
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
  const load = (list: ReturnType<typeof keptImages>, position: number) => {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    queue.push(() => list.load(position).then(resolve, reject));
    return promise;
  };
  return async (order: Order) => {
    try {
      if ("open" in order) {
        const { root, count, options } = order.open;
        loader = openImageLoader(root, count, options);
      } else if ("images" in order) {
        const list = keptImages(loader, order.images);
        lists.set(order.id, list);
        if (!order.images.early) return;
        // What is wrong with one is told when it is asked for.
        const begin = (position: number) => () => list.load(position).then(() => {}, () => {});
        for (let at = list.most - 1; at >= 0; at--) early.push(begin(at));
        serve();
      } else {
        const { positions, cuts, imageSize } = order.batch;
        const list = lists.get(order.batch.images)!;
        const images = Promise.all(positions.map((position) => load(list, position)));
        serve();
        answer({ id: order.id, pixels: batchPixels(await images, list.side, cuts, imageSize) });
      }
    } catch (error) {
      answer({ id: order.id, ...sendError(error) });
    }
  };
}

// In the worker itself this module answers orders.
const self = globalThis as unknown as {
  name?: string;
  onmessage: (event: MessageEvent<Order>) => void;
  postMessage(answer: Answer, transfer?: Transferable[]): void;
};
if (self.name === NAME) {
  const obey = inputThread((answer) =>
    self.postMessage(answer, "pixels" in answer ? [answer.pixels.buffer] : [])
  );
  self.onmessage = ({ data }) => void obey(data);
}
