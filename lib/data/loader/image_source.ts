import type * as tf from "@tensorflow/tfjs";
import type { Form } from "../../tensor/recording/recording.ts";

/** Images on the device, ready for the model. Whoever asked for the batch disposes both tensors. */
export interface ImageBatch {
  /** Patch rows [b n, 3 patchSize^2] of normalised pixels. */
  readonly patches: tf.Tensor;
  /** [b, labels]: 0 or 1 per label, or one-hot classes. */
  readonly targets: tf.Tensor;
}

/** Where batches come from, at once or when they are loaded; images are known by their index. */
export interface ImageFeed {
  /** Uploads the images of these indices, in this order. */
  batch(indices: readonly number[]): ImageBatch | Promise<ImageBatch>;
  /** Targets of these indices on the host, row after row: [b, labels]. */
  targets(indices: readonly number[]): Float32Array;
  /** Begins to load images that will be asked for soon; changes nothing else. */
  warm?(indices: readonly number[]): void;
}

/** An {@link ImageFeed} of images that are in memory already. */
export interface ImageSource extends ImageFeed {
  batch(indices: readonly number[]): ImageBatch;
}

/** Batches whose order is known ahead, so that their images come before they are needed. */
export interface BatchStream {
  /**
   * The batches of these indices, one after the other; whoever takes one disposes it. The first images
   * are asked for at once, before any batch is.
   *
   * @param onWait called with the milliseconds for which a batch's images were not there
   */
  batches(
    pieces: Iterable<readonly number[]>,
    onWait?: (milliseconds: number) => void,
  ): AsyncGenerator<ImageBatch, void>;
  /** As an {@link ImageSource}'s. */
  targets(indices: readonly number[]): Float32Array;
}

/** A source that can tell what is to come. */
export interface Foretold {
  /** What patches of so many images will be, where a recorded step computes them itself. */
  form?(images: number): Form | undefined;
}

/** Batches in order, each loaded ahead of its use where the source can: the first ones from now on. */
export function batchesOf(
  source: ImageFeed | BatchStream,
  pieces: Iterable<readonly number[]>,
  onWait?: (milliseconds: number) => void,
): AsyncGenerator<ImageBatch, void> {
  return "batches" in source ? source.batches(pieces, onWait) : inTurn(source, pieces, onWait);
}

async function* inTurn(
  source: ImageFeed,
  pieces: Iterable<readonly number[]>,
  onWait?: (milliseconds: number) => void,
): AsyncGenerator<ImageBatch, void> {
  for (const piece of pieces) {
    const begun = performance.now();
    const batch = await source.batch(piece);
    onWait?.(performance.now() - begun);
    yield batch;
  }
}

/** Pieces in order; the one after the next begins to load while a piece is in use. */
export function* warmed(
  source: ImageFeed,
  pieces: readonly (readonly number[])[],
): Generator<readonly number[], void> {
  for (const [i, piece] of pieces.entries()) {
    source.warm?.(pieces[i + 1] ?? []);
    yield piece;
  }
}

/** Cuts a list into consecutive pieces of at most `size`. */
export function chunks<T>(items: readonly T[], size: number): T[][] {
  const out: T[][] = [];
  for (let i = 0; i < items.length; i += size) out.push(items.slice(i, i + size));
  return out;
}

/** Images by their index: a list of them, or {@link everyIndex}. */
export interface Indices {
  readonly length: number;
  slice(from: number, to: number): readonly number[];
}

/** 0 .. n - 1 without a list of them, which of hundreds of thousands takes as many numbers. */
export function everyIndex(n: number): Indices {
  return {
    length: n,
    slice: (from, to) => Array.from({ length: Math.min(to, n) - from }, (_, i) => from + i),
  };
}

/** As {@link chunks}, each made when it is asked for. */
export function* piecesOf(indices: Indices, size: number): Generator<readonly number[], void> {
  for (let i = 0; i < indices.length; i += size) yield indices.slice(i, i + size);
}

/** 0 .. n - 1. */
export function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
