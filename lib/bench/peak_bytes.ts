import * as tf from "@tensorflow/tfjs";
import { useRecording } from "../tensor/recording/recorded.ts";

/**
 * Peak device memory: the largest `tf.memory().numBytes` after any kernel that runs inside `body`,
 * weights and inputs that were there before included. What a kernel frees before it returns is not.
 * Steps run op by op meanwhile: a recording plans its memory once, to about that peak.
 */
export async function peakBytes(body: () => Promise<void>): Promise<number> {
  // tfjs has no hook after each kernel, so the engine's own method is wrapped for the while.
  const engine = tf.engine() as unknown as { runKernelFunc: (...args: unknown[]) => unknown };
  const original = engine.runKernelFunc;
  let peak = 0;
  engine.runKernelFunc = function (...args) {
    const out = original.apply(this, args);
    peak = Math.max(peak, tf.memory().numBytes);
    return out;
  };
  useRecording(false);
  try {
    await body();
  } finally {
    useRecording(true);
    engine.runKernelFunc = original;
  }
  return peak;
}
