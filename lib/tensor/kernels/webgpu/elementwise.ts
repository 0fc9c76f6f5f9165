import type { TensorInfo } from "@tensorflow/tfjs";
import { HALF_FUNCTIONS } from "./half_source.ts";
import { cover, flatIndex, type KernelArguments, runProgram } from "./program.ts";

const LANES = 64;

/**
 * One program over all elements of equally shaped tensors, four at a time where they come in fours.
 *
 * @param inputs the first one has the result's shape
 * @param code WGSL that sets `result[i]` from the inputs at `i`; it reads as scalars and as vec4
 *   (`ZERO` is the zero of either)
 * @param numbers that change from run to run: uniforms, so that they do not make new programs
 * @param half the input that holds pairs of halves; the code finds its element in `half`
 */
export function elementwise(
  { backend }: Pick<KernelArguments, "backend">,
  key: string,
  inputs: Readonly<Record<string, TensorInfo>>,
  numbers: Readonly<Record<string, number>>,
  code: string,
  half?: string,
): TensorInfo {
  const infos = Object.values(inputs);
  const names = Object.keys(inputs);
  const size = infos[0].shape.reduce((a, b) => a * b, 1);
  const width = size % 4 === 0 ? 4 : 1;
  const unpacked = width === 4 ? `fourOf(${half}[i])` : `halfOf(${half}[i >> 1u], i)`;
  return runProgram(backend, {
    key: `${key} ${width}${half ? ` half ${half}` : ""}`,
    inputs: names,
    widths: [...names.map((name) => name === half && width === 4 ? 2 : width), width],
    words: names.map((name) => name === half),
    workgroupSize: [LANES, 1, 1],
    workgroups: cover(size / width, LANES),
    outputShape: infos[0].shape,
    uniforms: [
      { name: "count", type: "i32", value: size / width },
      ...Object.entries(numbers).map(([name, value]) => ({ name, type: "f32" as const, value })),
    ],
    code: `const ZERO = ${width === 4 ? "vec4<f32>(0.0)" : "0.0"};
    ${half ? HALF_FUNCTIONS : ""}
    fn main() {
      let i = ${flatIndex(LANES)};
      if (i >= uniforms.count) { return; }
      ${half ? `let half = ${unpacked};` : ""}
      ${code}
    }`,
  }, infos);
}

/** `LetheAddScaled`: a + scale b, of one shape. */
export function addScaledKernel(args: KernelArguments): TensorInfo {
  const { a, b } = args.inputs;
  const scale = args.attrs.scale as number;
  return elementwise(
    args,
    "add scaled",
    { A: a, B: b },
    { scale },
    "result[i] = A[i] + uniforms.scale * B[i];",
  );
}
