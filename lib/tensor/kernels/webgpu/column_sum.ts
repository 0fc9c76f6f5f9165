import type { TensorInfo } from "@tensorflow/tfjs";
import { cover, flatIndex, type KernelArguments, release, runProgram } from "./program.ts";

const LANES = 8;
/** Rows that one invocation adds up: more of them go by parts, which is faster and rounds less. */
const PART = 64;

/**
 * Sum over the rows of a term in [m, n] tensors, [n]; the order of the additions depends on the sizes
 * alone.
 *
 * @param matrices [m, n] each
 * @param perRow [m, 2] each
 * @param term WGSL of what is added, in terms of `at` (into matrices) and `r` (into perRow)
 */
export function sumOverRows(
  args: Pick<KernelArguments, "backend">,
  key: string,
  matrices: Readonly<Record<string, TensorInfo>>,
  perRow: Readonly<Record<string, TensorInfo>>,
  term: string,
): TensorInfo {
  const [m, n] = Object.values(matrices)[0].shape;
  const width = n % 4 === 0 ? 4 : 1;
  const columns = n / width;
  const parts = Math.ceil(m / PART);
  const sums = runProgram(args.backend, {
    key: `${key} ${width}`,
    inputs: [...Object.keys(matrices), ...Object.keys(perRow)],
    widths: [
      ...Object.keys(matrices).map(() => width as 1 | 4),
      ...Object.keys(perRow).map(() => 1 as const),
      width,
    ],
    workgroupSize: [LANES, 1, 1],
    workgroups: cover(parts * columns, LANES),
    outputShape: parts === 1 ? [n] : [parts, n],
    uniforms: Object.entries({ m, columns, count: parts * columns })
      .map(([name, value]) => ({ name, type: "i32", value })),
    code: `fn main() {
      let i = ${flatIndex(LANES)};
      if (i >= uniforms.count) { return; }
      let first = (i / uniforms.columns) * ${PART};
      let c = i % uniforms.columns;
      var sum = ${width === 4 ? "vec4<f32>(0.0)" : "0.0"};
      for (var r = first; r < min(first + ${PART}, uniforms.m); r = r + 1) {
        let at = r * uniforms.columns + c;
        sum = sum + ${term};
      }
      result[i] = sum;
    }`,
  }, [...Object.values(matrices), ...Object.values(perRow)]);
  if (parts === 1) return sums;
  const total = columnSumKernel({ ...args, inputs: { x: sums } });
  release(args.backend, sums);
  return total;
}

/** `LetheColumnSum`: the sum over the rows of x [m, n], [n]. */
export function columnSumKernel(
  args: Pick<KernelArguments, "backend" | "inputs">,
): TensorInfo {
  return sumOverRows(args, "column sum", { X: args.inputs.x }, {}, "X[at]");
}
