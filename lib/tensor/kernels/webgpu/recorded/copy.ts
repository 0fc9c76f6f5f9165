import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { LetheBackend } from "../../../backend/lethe_backend.ts";
import { cover, flatIndex, runProgram } from "../program.ts";

const LANES = 64;

/** Copies a tensor's numbers into another of its size, wherever that lies. */
export function copyKernel(backend: LetheBackend, from: TensorInfo, to: TensorInfo): void {
  const count = from.shape.reduce((a, b) => a * b, 1);
  runProgram(
    backend as unknown as WebGPUBackend,
    {
      key: "copy",
      inputs: ["X"],
      workgroupSize: [LANES, 1, 1],
      workgroups: cover(count, LANES),
      outputShape: to.shape,
      uniforms: [{ name: "count", type: "i32", value: count }],
      code: `fn main() {
        let i = ${flatIndex(LANES)};
        if (i < uniforms.count) { result[i] = X[i]; }
      }`,
    },
    [from],
    to,
  );
}
