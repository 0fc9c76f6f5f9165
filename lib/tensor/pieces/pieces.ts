import * as tf from "@tensorflow/tfjs";
import type { LetheBackend } from "../backend/lethe_backend.ts";
import { bytesOf, bytesOfValues, TENSOR_USAGE } from "../backend/tensor_data.ts";
import { tensorIn } from "../recording/owned_tensor.ts";
import type { Weights } from "../weights.ts";
import { type Layout, layOut } from "./layout.ts";

/** The largest piece that one binding holds on a device, bytes. */
export function largestPiece({ device: { limits } }: LetheBackend): number {
  return Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
}

/** The layout of a set of weights on a device. */
export function layoutOf(
  backend: LetheBackend,
  weights: Weights,
  isFirst?: (name: string) => boolean,
): Layout {
  const shapes = Object.entries(weights).map(([name, { shape }]) => [name, shape] as const);
  return layOut(shapes, largestPiece(backend), isFirst);
}

/** Named tensors that lie in few buffers of their own, zeros between them. */
export class Pieces {
  readonly layout: Layout;
  /** Each piece as one tensor, [numbers]. */
  readonly flat: readonly tf.Tensor[];
  /** The tensors by name. They stay the pieces': whoever clones one gets a copy. */
  readonly weights: Weights;
  readonly #buffers: readonly GPUBuffer[];
  readonly #backend: LetheBackend;

  /** Zeros. The caller disposes them. */
  constructor(backend: LetheBackend, layout: Layout) {
    this.#backend = backend;
    this.layout = layout;
    this.#buffers = layout.pieces.map(({ bytes }) =>
      backend.device.createBuffer({ size: bytes, usage: TENSOR_USAGE })
    );
    this.flat = layout.pieces.map(({ bytes }, i) =>
      tensorIn(backend, this.#buffers[i], 0, [bytes / 4])
    );
    this.weights = Object.fromEntries(
      layout.parts.map(({ name, shape, piece, offset }) => [
        name,
        tensorIn(backend, this.#buffers[piece], offset, shape),
      ]),
    );
  }

  /** Writes tensors into their places; they stay the caller's, and a name that is missing stays as it is. */
  write(weights: Weights): void {
    for (const [name, to] of Object.entries(this.weights)) {
      if (weights[name]) copyInto(this.#backend, weights[name], to);
    }
  }

  dispose(): void {
    if (this.#backend.commandEncoder) {
      this.#backend.endComputePassEncoder();
      this.#backend.submitQueue();
    }
    tf.dispose([[...this.flat], Object.values(this.weights)]);
    this.#buffers.forEach((buffer) => buffer.destroy());
  }
}

/** Copies the numbers of one tensor into another of its size, as part of what is queued. */
function copyInto(backend: LetheBackend, from: tf.TensorInfo, to: tf.TensorInfo): void {
  backend.compute(from.dataId);
  const source = backend.tensorMap.get(from.dataId);
  const target = backend.tensorMap.get(to.dataId);
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  if (!source.resource) {
    // The queue writes at once: what was queued before comes first.
    backend.submitQueue();
    backend.queue.writeBuffer(target.resource!, target.offset ?? 0, bytesOfValues(source));
    return;
  }
  for (const { dataId } of [from, to]) backend.commandQueueOwnedIds.add(dataId);
  backend.commandEncoder!.copyBufferToBuffer(
    source.resource,
    source.offset ?? 0,
    target.resource!,
    target.offset ?? 0,
    bytesOf(to),
  );
}

/** A tensor's numbers as they are now, in a buffer of their own. */
export function copyOf(backend: LetheBackend, from: tf.TensorInfo): tf.TensorInfo {
  const to = backend.makeTensorInfo(from.shape, from.dtype);
  backend.uploadToGPU(to.dataId);
  copyInto(backend, from, to);
  return to;
}
