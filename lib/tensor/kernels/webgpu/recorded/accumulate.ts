import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { LetheBackend } from "../../../backend/lethe_backend.ts";
import { cover, flatIndex, runProgram } from "../program.ts";

const LANES = 64;

/**
 * Adds factor x, or factor x^2, to a whole piece where it lies.
 *
 * @param sum [numbers] a multiple of four
 * @param factor [1]
 */
export function accumulate(
  backend: LetheBackend,
  sum: TensorInfo,
  x: TensorInfo,
  factor: TensorInfo,
  what: "x" | "x squared",
): void {
  const count = sum.shape[0] / 4;
  runProgram(
    backend as unknown as WebGPUBackend,
    {
      key: `accumulate ${what}`,
      inputs: ["X", "F"],
      widths: [4, 1, 4],
      workgroupSize: [LANES, 1, 1],
      workgroups: cover(count, LANES),
      outputShape: sum.shape,
      uniforms: [{ name: "count", type: "i32", value: count }],
      code: `fn main() {
        let i = ${flatIndex(LANES)};
        if (i >= uniforms.count) { return; }
        let x = X[i];
        result[i] = result[i] + F[0] * ${what === "x" ? "x" : "x * x"};
      }`,
    },
    [x, factor],
    sum,
  );
}
