import * as tf from "@tensorflow/tfjs";
import type { LetheBackend } from "../backend/lethe_backend.ts";
import { copyKernel } from "../kernels/webgpu/recorded/copy.ts";
import { tensorIn } from "../recording/owned_tensor.ts";
import type { Weights } from "../weights.ts";
import type { Layout } from "./layout.ts";

/**
 * Tensors as the pieces of a layout: what was computed by name, for programs that take all of it at once.
 * While a step is recorded it costs nothing where it can be had so: the tensors are computed in place.
 *
 * @param weights stay the caller's
 * @returns one tensor per piece, [numbers], zero between the tensors; the caller's
 */
export function packed(backend: LetheBackend, weights: Weights, layout: Layout): tf.Tensor[] {
  return layout.pieces.map(({ bytes }, piece) => {
    const parts = layout.parts.filter((part) => part.piece === piece)
      .map(({ name, offset }) => ({ tensor: weights[name], offset }));
    const { tracer } = backend;
    if (tracer) {
      const info = backend.makeTensorInfo([bytes / 4], "float32");
      const flat = tf.engine().makeTensorFromTensorInfo(info);
      const apart = new Set(tracer.join(
        flat.dataId,
        parts.map(({ tensor, offset }) => ({
          id: tensor.dataId,
          offset,
        })),
      ));
      parts.forEach(({ tensor, offset }, i) => {
        if (!apart.has(i)) return;
        const to = tf.engine().makeTensorFromTensorInfo(
          backend.makeTensorInfo(tensor.shape, "float32"),
        );
        tracer.join(flat.dataId, [{ id: to.dataId, offset }], true);
        copyKernel(backend, tensor, to);
        to.dispose();
      });
      return flat;
    }
    const flat = tf.zeros([bytes / 4]);
    backend.uploadToGPU(flat.dataId);
    for (const { tensor, offset } of parts) {
      const { resource } = backend.tensorMap.get(flat.dataId);
      const to = tensorIn(backend, resource!, offset, tensor.shape);
      copyKernel(backend, tensor, to);
      to.dispose();
    }
    return flat;
  });
}
