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
    1: "result[i] = numberOf(u32(pairOf(vec2<f32>(X[i], 0.0))) & 0xffffu);",
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
    // A half's number bit by bit: NVIDIA's compiler takes packing and unpacking at once for nothing to do.
    fn numberOf(half : u32) -> f32 {
      let sign = (half & 0x8000u) << 16u;
      let exponent = (half >> 10u) & 31u;
      let digits = half & 1023u;
      if (exponent == 0u) {
        let small = f32(digits) * 5.9604644775390625e-8;
        return bitcast<f32>(bitcast<u32>(small) | sign);
      }
      let wide = select(exponent + 112u, 255u, exponent == 31u);
      return bitcast<f32>(sign | (wide << 23u) | (digits << 13u));
    }
    fn main() {
      let i = ${flatIndex(LANES)};
      if (i < uniforms.count) { ${code} }
    }`,
  }, [x]);
}
