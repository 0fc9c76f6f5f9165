import { LetheError } from "../error.ts";
import { byteSize } from "../files/text/byte_size.ts";
import { deviceMemory, keepWithin } from "../tensor/device_memory.ts";
import { isFlashHead } from "../tensor/kernels/webgpu/attention/flash.ts";
import { onCard } from "../tensor/kernels/webgpu/card.ts";
import { precision } from "../tensor/precision.ts";
import { spares } from "./sparing.ts";
import { thetaShapes } from "./theta_shapes.ts";
import type { VitShape } from "./vit.ts";

/** What is computed: it decides how many sets of theta's size there are, and what a pass keeps. */
export type Pass = "predict" | "train" | "unlearn" | "meta-learn";

/**
 * Sets of tensors of theta's size at a pass's worst moment. Training: theta, the best one, two moments,
 * and three gradients while micro-batches are summed. Unlearning: theta before and after, what the last
 * chunk left, three gradients. Meta-learning: theta, theta_u, its gradient, v and its scaled copy, three
 * more while v is summed.
 */
const SETS: Readonly<Record<Pass, number>> = {
  predict: 1,
  train: 7,
  unlearn: 6,
  "meta-learn": 8,
};

/**
 * Rows of [tokens, dim] that an image takes: `perBlock` of every block's, `once` however many there are;
 * and of [heads, tokens, tokens], attention's probabilities, likewise. Measured on ViTs of several sizes
 * and rounded up; a test holds them against the peak of both backends.
 */
interface Rows {
  readonly perBlock: number;
  readonly once: number;
  readonly probabilitiesPerBlock: number;
  readonly probabilitiesOnce: number;
}

/** What a pass takes, by how it computes. */
interface PassRows {
  readonly forward: Rows;
  readonly gradient: Rows;
  /** A gradient that spares memory, where there is such a one ({@link spares}). */
  readonly sparing?: Rows;
  /** Primal and tangent side by side. */
  readonly dual: Rows;
}

const ROWS: Readonly<Record<"wasm" | "webgpu" | "card" | "half", PassRows>> = {
  // Attention's derivative in plain ops.
  wasm: {
    forward: { perBlock: 1, once: 42, probabilitiesPerBlock: 0, probabilitiesOnce: 1 },
    gradient: { perBlock: 19, once: 34, probabilitiesPerBlock: 1, probabilitiesOnce: 3 },
    dual: { perBlock: 2, once: 100, probabilitiesPerBlock: 0, probabilitiesOnce: 8 },
  },
  webgpu: {
    forward: { perBlock: 1, once: 14, probabilitiesPerBlock: 0, probabilitiesOnce: 1 },
    gradient: { perBlock: 16, once: 17, probabilitiesPerBlock: 1, probabilitiesOnce: 1 },
    sparing: { perBlock: 5, once: 28, probabilitiesPerBlock: 0, probabilitiesOnce: 2 },
    dual: { perBlock: 2, once: 34, probabilitiesPerBlock: 0, probabilitiesOnce: 2 },
  },
  // Attention on a card keeps no probabilities.
  card: {
    forward: { perBlock: 1, once: 14, probabilitiesPerBlock: 0, probabilitiesOnce: 0 },
    gradient: { perBlock: 16, once: 21, probabilitiesPerBlock: 0, probabilitiesOnce: 0 },
    sparing: { perBlock: 5, once: 32, probabilitiesPerBlock: 0, probabilitiesOnce: 0 },
    dual: { perBlock: 2, once: 34, probabilitiesPerBlock: 0, probabilitiesOnce: 0 },
  },
  half: {
    forward: { perBlock: 1, once: 28, probabilitiesPerBlock: 0, probabilitiesOnce: 1 },
    gradient: { perBlock: 11, once: 29, probabilitiesPerBlock: 0.5, probabilitiesOnce: 0 },
    dual: { perBlock: 2, once: 80, probabilitiesPerBlock: 0, probabilitiesOnce: 2 },
  },
};

/** How an image's pass is computed. */
function rowsOf({ dim, heads }: VitShape, backend: "webgpu" | "wasm"): PassRows {
  if (backend === "webgpu" && precision() === "half") return ROWS.half;
  const flash = onCard() && isFlashHead(dim / heads);
  return backend === "webgpu" && flash ? ROWS.card : ROWS[backend];
}

/** The meta-loss, its moments and gradients, bytes: of the paper's width and some hundred labels. */
const META_LOSS = 16 * 2 ** 20;

/** A recording of predictions, which batches of other weights replay, has a copy of theta. */
function setsOf(pass: Pass, backend: "webgpu" | "wasm"): number {
  return SETS[pass] + (pass === "predict" && backend === "webgpu" ? 1 : 0);
}

/** Bytes of theta. */
export function thetaBytes(shape: VitShape, labels: number): number {
  return [...thetaShapes(shape, labels).values()]
    .reduce((sum, size) => sum + 4 * size.reduce((a, b) => a * b, 1), 0);
}

/** Bytes of device memory that each further image of a pass takes in the present precision, at most. */
export function bytesPerImage(
  shape: VitShape,
  pass: Pass,
  backend: "webgpu" | "wasm",
  sparing = false,
): number {
  const tokens = (shape.imageSize / shape.patchSize) ** 2 + 1;
  const patches = 3 * shape.imageSize ** 2;
  const bytes = ({ perBlock, once, probabilitiesPerBlock, probabilitiesOnce }: Rows) =>
    4 * (patches + tokens * shape.dim * (perBlock * shape.depth + once) +
      shape.heads * tokens ** 2 * (probabilitiesPerBlock * shape.depth + probabilitiesOnce));
  const rows = rowsOf(shape, backend);
  const { forward, dual } = rows;
  if (pass === "predict") return bytes(forward);
  const gradient = sparing && rows.sparing || rows.gradient;
  return pass === "meta-learn" ? Math.max(bytes(gradient), bytes(dual)) : bytes(gradient);
}

/**
 * Bytes of device memory that the images of a pass take, weights aside. A gradient of many of a large
 * model is spared activations ({@link spares}); one of fewer, that keeps them all, may take more.
 */
export function bytesOfImages(
  shape: VitShape,
  pass: Pass,
  backend: "webgpu" | "wasm",
  images: number,
): number {
  const all = images * bytesPerImage(shape, pass, backend);
  if (pass === "predict" || pass === "train" || !spares(shape, images)) return all;
  let kept = images;
  while (kept > 0 && spares(shape, kept)) kept--;
  return Math.max(
    kept * bytesPerImage(shape, pass, backend),
    images * bytesPerImage(shape, pass, backend, true),
  );
}

/**
 * Images per pass that keep within a limit of device memory; a limit that is given holds from now on.
 *
 * @param labels outputs of the head
 * @param most what is wanted where memory does not matter
 * @param limit bytes; what the device is taken to have where it is not given
 * @returns from 1 to `most`
 * @throws {LetheError} not even one image fits
 */
export function microBatchWithin(
  shape: VitShape,
  labels: number,
  pass: Pass,
  most: number,
  limit?: number,
): number {
  const { backend, bytes, tensorBytes } = deviceMemory();
  const given = limit ?? bytes;
  keepWithin(limit);
  const fixed = setsOf(pass, backend) * thetaBytes(shape, labels) +
    (pass === "meta-learn" ? META_LOSS : 0);
  const taken = (images: number) => fixed + bytesOfImages(shape, pass, backend, images);
  if (taken(1) > given) {
    throw new LetheError(
      `${pass} takes ${byteSize(taken(1))} of device memory with one image at a time`,
      `the limit is ${byteSize(given)}${limit === undefined ? " (assumed)" : ""}`,
      "raise --memory-limit if the device has more, or take a smaller model",
    );
  }
  // The widest tensor of a pass: the hidden layer of a block's MLP.
  const tokens = (shape.imageSize / shape.patchSize) ** 2 + 1;
  const widest = 4 * tokens * Math.max(4 * shape.dim, shape.heads * tokens);
  if (widest > tensorBytes) {
    throw new LetheError(
      `${pass} makes a tensor of ${byteSize(widest)} of one image`,
      `this adapter binds at most ${byteSize(tensorBytes)} at a time`,
      "take a smaller model or image, or --device wasm",
    );
  }
  let images = Math.min(most, Math.floor(tensorBytes / widest));
  while (taken(images) > given) images--;
  return images;
}

/**
 * Refuses a limit that not even the weights keep within, whatever the device: before any are read.
 *
 * @param limit bytes
 * @throws {LetheError} the limit is too small
 */
export function refuseBeyond(shape: VitShape, labels: number, pass: Pass, limit: number): void {
  const fixed = SETS[pass] * thetaBytes(shape, labels);
  if (fixed <= limit) return;
  throw new LetheError(
    `${pass} takes ${byteSize(fixed)} of device memory for the weights alone`,
    `the limit is ${byteSize(limit)}`,
    "raise --memory-limit if the device has more, or take a smaller model",
  );
}
