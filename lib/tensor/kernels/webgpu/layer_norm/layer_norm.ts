import type { TensorInfo } from "@tensorflow/tfjs";
import { columnSumKernel, sumOverRows } from "../column_sum.ts";
import { onCard } from "../card.ts";
import { layerNormGradOnCard, layerNormOnCard, layerNormTangentOnCard } from "./on_card.ts";
import { fitsRow } from "./row_lanes.ts";
import { cover, flatIndex, type KernelArguments, runProgram } from "../program.ts";

const LANES = 8;

/**
 * One program in which an invocation owns a row of [m, d] tensors, four columns at a time where they
 * come in fours.
 *
 * @param widths of inputs and result: "row" tensors are read in fours, "pair" is [m, 2]
 * @param code WGSL; sees the row `r`, where it starts (`start`) and its length (`columns`), all in the
 *   elements of a row; `d` is the number of floats, `total(x)` adds up an element
 */
function rowProgram(
  { backend }: KernelArguments,
  key: string,
  inputs: Readonly<Record<string, TensorInfo>>,
  pairs: Readonly<Record<string, TensorInfo>>,
  numbers: Readonly<Record<string, number>>,
  outputShape: number[],
  code: string,
): TensorInfo {
  const [m, d] = Object.values(inputs)[0].shape;
  const width = d % 4 === 0 ? 4 : 1;
  const resultWidth = outputShape[1] === d ? width : 1;
  return runProgram(backend, {
    key: `layerNorm ${key} ${width}`,
    inputs: [...Object.keys(inputs), ...Object.keys(pairs)],
    widths: [
      ...Object.keys(inputs).map(() => width as 1 | 4),
      ...Object.keys(pairs).map(() => 1 as const),
      resultWidth,
    ],
    workgroupSize: [LANES, 1, 1],
    workgroups: cover(m, LANES),
    outputShape,
    uniforms: [
      { name: "m", type: "i32", value: m },
      { name: "columns", type: "i32", value: d / width },
      { name: "d", type: "f32", value: d },
      ...Object.entries(numbers).map(([name, value]) => ({ name, type: "f32" as const, value })),
    ],
    code: `
    ${
      width === 4
        ? "const ZERO = vec4<f32>(0.0); " +
          "fn total(x : vec4<f32>) -> f32 { return (x.x + x.y) + (x.z + x.w); }"
        : "const ZERO = 0.0; fn total(x : f32) -> f32 { return x; }"
    }
    fn main() {
      let r = ${flatIndex(LANES)};
      if (r >= uniforms.m) { return; }
      let columns = uniforms.columns;
      let start = r * columns;
      ${code}
    }`,
  }, [...Object.values(inputs), ...Object.values(pairs)]);
}

/** WGSL for mean and 1 / deviation of a row of X. */
const MOMENTS = `
    var sum = ZERO;
    for (var c = 0; c < columns; c = c + 1) { sum = sum + X[start + c]; }
    let mean = total(sum) / uniforms.d;
    var squares = ZERO;
    for (var c = 0; c < columns; c = c + 1) {
      let centred = X[start + c] - mean;
      squares = squares + centred * centred;
    }
    let rstd = 1.0 / sqrt(total(squares) / uniforms.d + uniforms.epsilon);`;

/** `LetheLayerNorm`: x [m, d], gamma, beta [d] to [y [m, d], moments [m, 2]: mean and 1 / deviation]. */
export function layerNormKernel(args: KernelArguments): TensorInfo[] {
  const { x, gamma, beta } = args.inputs;
  if (onCard() && fitsRow(x.shape[1])) return layerNormOnCard(args);
  const epsilon = args.attrs.epsilon as number;
  const moments = rowProgram(
    args,
    "moments",
    { X: x },
    {},
    { epsilon },
    [x.shape[0], 2],
    `${MOMENTS}
    result[2 * r] = mean;
    result[2 * r + 1] = rstd;`,
  );
  const inputs = { X: x, Gamma: gamma, Beta: beta };
  const y = rowProgram(
    args,
    "y",
    inputs,
    { Moments: moments },
    {},
    x.shape,
    `
    let mean = Moments[2 * r]; let rstd = Moments[2 * r + 1];
    for (var c = 0; c < columns; c = c + 1) {
      result[start + c] = (X[start + c] - mean) * rstd * Gamma[c] + Beta[c];
    }`,
  );
  return [y, moments];
}

/**
 * `LetheLayerNormGrad`: dy, x [m, d], gamma [d], moments [m, 2] to [dx, dgamma, dbeta]; where there is
 * a `residual` [m, d], it is added to dx.
 */
export function layerNormGradKernel(args: KernelArguments): TensorInfo[] {
  const { dy, x, gamma, moments, residual } = args.inputs;
  if (onCard() && fitsRow(x.shape[1])) return layerNormGradOnCard(args);
  const inputs = { DY: dy, X: x, Gamma: gamma, ...residual ? { Residual: residual } : {} };
  const dx = rowProgram(
    args,
    residual ? "dx and residual" : "dx",
    inputs,
    { Moments: moments },
    {},
    x.shape,
    `
    let mean = Moments[2 * r]; let rstd = Moments[2 * r + 1];
    var sums = ZERO; var alongs = ZERO;
    for (var c = 0; c < columns; c = c + 1) {
      let g = DY[start + c] * Gamma[c];
      sums = sums + g;
      alongs = alongs + g * ((X[start + c] - mean) * rstd);
    }
    let sum = total(sums) / uniforms.d;
    let along = total(alongs) / uniforms.d;
    for (var c = 0; c < columns; c = c + 1) {
      let normal = (X[start + c] - mean) * rstd;
      result[start + c] = rstd * (DY[start + c] * Gamma[c] - sum - normal * along)${
      residual ? " + Residual[start + c]" : ""
    };
    }`,
  );
  const dGamma = sumOverRows(
    args,
    "layerNorm dgamma",
    { DY: dy, X: x },
    { Moments: moments },
    "DY[at] * ((X[at] - Moments[2 * r]) * Moments[2 * r + 1])",
  );
  return [dx, dGamma, columnSumKernel({ ...args, inputs: { x: dy } })];
}

/**
 * `LetheLayerNormTangent`: x, its tangent dx [m, d], gamma and perhaps the tangents dGamma, dBeta [d] to
 * the tangent of the value.
 */
export function layerNormTangentKernel(args: KernelArguments): TensorInfo {
  const { x, dx, gamma, dGamma, dBeta } = args.inputs;
  if (onCard() && fitsRow(x.shape[1])) return layerNormTangentOnCard(args);
  return rowProgram(
    args,
    `tangent${dGamma ? " gamma" : ""}${dBeta ? " beta" : ""}`,
    {
      X: x,
      DX: dx,
      Gamma: gamma,
      ...dGamma ? { DGamma: dGamma } : {},
      ...dBeta ? { DBeta: dBeta } : {},
    },
    {},
    { epsilon: args.attrs.epsilon as number },
    x.shape,
    `${MOMENTS}
    var moves = ZERO; var alongs = ZERO;
    for (var c = 0; c < columns; c = c + 1) {
      moves = moves + DX[start + c];
      alongs = alongs + DX[start + c] * ((X[start + c] - mean) * rstd);
    }
    let moved = total(moves) / uniforms.d;
    let along = total(alongs) / uniforms.d;
    for (var c = 0; c < columns; c = c + 1) {
      let normal = (X[start + c] - mean) * rstd;
      result[start + c] = Gamma[c] * (rstd * (DX[start + c] - moved - normal * along))${
      dGamma ? " + DGamma[c] * normal" : ""
    }${dBeta ? " + DBeta[c]" : ""};
    }`,
  );
}
