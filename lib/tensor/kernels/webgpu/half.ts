import type { TensorInfo } from "@tensorflow/tfjs";
import { HALF_FUNCTIONS } from "./half_source.ts";
import { cover, flatIndex, type KernelArguments, runProgram } from "./program.ts";

const LANES = 64;

/**
 * `LetheToHalf`: x [.., columns] to int32 [.., columns / 2] of pairs of halves, or, where columns is
 * odd, to float32 of rounded values.
 */
export function toHalfKernel({ inputs: { x }, backend }: KernelArguments): TensorInfo {
  const size = x.shape.reduce((a, b) => a * b, 1);
  const columns = x.shape.at(-1) ?? 1;
  const pairs = columns % 2 === 0;
  // Four numbers give two words, two give one.
  const width = pairs ? size % 4 === 0 ? 4 : 2 : 1;
  const code = {
    4: "result[i] = vec2<i32>(pairOf(X[i].xy), pairOf(X[i].zw));",
    2: "result[i] = pairOf(X[i]);",
    1: "result[i] = halfOf(pairOf(vec2<f32>(X[i], 0.0)), 0);",
  }[width];
  return runProgram(backend, {
    key: `to half ${width}`,
    inputs: ["X"],
    widths: [width, width === 4 ? 2 : 1],
    workgroupSize: [LANES, 1, 1],
    workgroups: cover(size / width, LANES),
    outputShape: pairs ? [...x.shape.slice(0, -1), columns / 2] : x.shape,
    outputType: pairs ? "int32" : "float32",
    uniforms: [{ name: "count", type: "i32", value: size / width }],
    code: `${HALF_FUNCTIONS}
    fn main() {
      let i = ${flatIndex(LANES)};
      if (i < uniforms.count) { ${code} }
    }`,
  }, [x]);
}
