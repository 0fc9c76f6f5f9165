import * as tf from "@tensorflow/tfjs";
import type { LetheBackend } from "../backend/lethe_backend.ts";
import { copyOf } from "./pieces.ts";

/**
 * Makes `tf.clone` copy a tensor whose buffer has another owner: tfjs's shares the buffer, which is right
 * as long as nobody writes it again, and pieces are written again. Within a recorded step it shares.
 */
export function registerClone(): void {
  const stock = tf.getKernel("Identity", "webgpu");
  tf.unregisterKernel("Identity", "webgpu");
  tf.registerKernel({
    ...stock,
    kernelFunc(args) {
      const backend = args.backend as unknown as LetheBackend;
      const x = args.inputs.x as tf.TensorInfo;
      const { external } = backend.tensorMap.get(x.dataId);
      return external && !backend.tracer ? copyOf(backend, x) : stock.kernelFunc(args);
    },
  });
}
