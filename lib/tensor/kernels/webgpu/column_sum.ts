import type { TensorInfo } from "@tensorflow/tfjs";
import { onCard } from "./card.ts";
import { cover, flatIndex, type KernelArguments, release, runProgram } from "./program.ts";

const LANES = 8;
/** Rows that one invocation adds up: more of them go by parts, which is faster and rounds less. */
const PART = 64;
/** The same of a card, which wants more and smaller ones. */
const [CARD_LANES, CARD_PART] = [64, 16];
/** Lanes of a card that share a column of few rows. */
const SLICES = 16;

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
  const [lanes, part] = onCard() ? [CARD_LANES, CARD_PART] : [LANES, PART];
  const parts = Math.ceil(m / part);
  const sums = runProgram(args.backend, {
    key: `${key} ${width} ${part}`,
    inputs: [...Object.keys(matrices), ...Object.keys(perRow)],
    widths: [
      ...Object.keys(matrices).map(() => width as 1 | 4),
      ...Object.keys(perRow).map(() => 1 as const),
      width,
    ],
    workgroupSize: [lanes, 1, 1],
    workgroups: cover(parts * columns, lanes),
    outputShape: parts === 1 ? [n] : [parts, n],
    uniforms: Object.entries({ m, columns, count: parts * columns })
      .map(([name, value]) => ({ name, type: "i32", value })),
    code: `fn main() {
      let i = ${flatIndex(lanes)};
      if (i >= uniforms.count) { return; }
      let first = (i / uniforms.columns) * ${part};
      let c = i % uniforms.columns;
      var sum = ${width === 4 ? "vec4<f32>(0.0)" : "0.0"};
      for (var r = first; r < min(first + ${part}, uniforms.m); r = r + 1) {
        let at = r * uniforms.columns + c;
        sum = sum + ${term};
      }
      result[i] = sum;
    }`,
  }, [...Object.values(matrices), ...Object.values(perRow)]);
  if (parts === 1) return sums;
  const total = onCard()
    ? sumOfRows(args, sums, [n])[0]
    : columnSumKernel({ ...args, inputs: { x: sums } });
  release(args.backend, sums);
  return total;
}

/** `LetheColumnSum`: the sum over the rows of x [m, n], [n]. */
export function columnSumKernel(
  args: Pick<KernelArguments, "backend" | "inputs">,
): TensorInfo {
  return sumOverRows(args, "column sum", { X: args.inputs.x }, {}, "X[at]");
}

/**
 * For cards: the sum over the rows of x [m, n] of a few hundred rows, its columns dealt out to one or two
 * vectors.
 *
 * @param sizes of the vectors, n in all
 */
export function sumOfRows(
  { backend }: Pick<KernelArguments, "backend">,
  x: TensorInfo,
  [first, second = 0]: readonly [number, number?],
): TensorInfo[] {
  const m = x.shape[0];
  const width = first % 4 === 0 && second % 4 === 0 ? 4 : 1;
  const columns = (first + second) / width;
  const across = CARD_LANES / SLICES;
  const rest = second > 0 ? [backend.makeTensorInfo([second], "float32")] : [];
  const steps: string[] = [];
  for (let half = SLICES / 2; half >= 1; half /= 2) {
    steps.push(
      `if (slice < ${half}) { parts[lane] = parts[lane] + parts[lane + ${half * across}]; }`,
      "workgroupBarrier();",
    );
  }
  const type = width === 4 ? "vec4<f32>" : "f32";
  const total = runProgram(
    backend,
    {
      key: `sum of rows ${width} ${rest.length}`,
      inputs: ["X"],
      widths: [width, width],
      writes: rest.map(() => ({ name: "Rest", width: width as 1 | 4 })),
      workgroupSize: [CARD_LANES, 1, 1],
      workgroups: cover(Math.ceil(columns / across), 1),
      outputShape: [first],
      uniforms: Object.entries({ m, columns, first: first / width })
        .map(([name, value]) => ({ name, type: "i32", value })),
      code: `var<workgroup> parts : array<${type}, ${CARD_LANES}>;
      fn main() {
        let lane = i32(localId.x); let slice = lane / ${across};
        let c = i32(workgroupId.y * numWorkgroups.x + workgroupId.x) * ${across} + lane % ${across};
        let column = min(c, uniforms.columns - 1);
        var sum = ${type}(0.0);
        for (var r = slice; r < uniforms.m; r = r + ${SLICES}) {
          sum = sum + X[r * uniforms.columns + column];
        }
        parts[lane] = sum;
        workgroupBarrier();
        ${steps.join("\n        ")}
        if (slice > 0 || c >= uniforms.columns) { return; }
        ${
        rest.length > 0
          ? "if (c < uniforms.first) { result[c] = parts[lane]; } " +
            "else { Rest[c - uniforms.first] = parts[lane]; }"
          : "result[c] = parts[lane];"
      }
      }`,
    },
    [x],
    undefined,
    rest,
  );
  return [total, ...rest];
}
