import type { TensorInfo } from "@tensorflow/tfjs";
import { type KernelArguments, type KernelProgram, runProgram } from "./program.ts";

/** Invocations per workgroup; each owns a row, or for sums over rows a column. */
const LANES = 8;

const over = (count: number) => ({
  workgroupSize: [LANES, 1, 1] as const,
  workgroups: [
    Math.min(Math.ceil(count / LANES), 32_768),
    Math.ceil(count / LANES / 32_768),
    1,
  ] as const,
});
const INDEX = `i32((workgroupId.y * numWorkgroups.x + workgroupId.x) * ${LANES}u + localId.x)`;

const sizes = (m: number, d: number): KernelProgram["uniforms"] => [
  { name: "m", type: "i32", value: m },
  { name: "d", type: "i32", value: d },
];

/** One number per row of x: its mean, or rstd = 1 / sqrt(variance + epsilon). */
function rowStatistic(args: KernelArguments, statistic: "mean" | "rstd"): TensorInfo {
  const { x } = args.inputs;
  const [m, d] = x.shape;
  const epsilon = statistic === "rstd"
    ? [{ name: "epsilon", type: "f32" as const, value: args.attrs.epsilon as number }]
    : [];
  return runProgram(args.backend, {
    key: `layerNorm ${statistic}`,
    inputs: ["X"],
    ...over(m),
    outputShape: [m],
    uniforms: [...sizes(m, d)!, ...epsilon],
    code: `fn main() {
      let r = ${INDEX}; let d = uniforms.d;
      if (r >= uniforms.m) { return; }
      var sum = 0.0;
      for (var c = 0; c < d; c = c + 1) { sum = sum + X[r * d + c]; }
      let mean = sum / f32(d);
      ${
      statistic === "mean" ? "result[r] = mean;" : `var squares = 0.0;
      for (var c = 0; c < d; c = c + 1) {
        let centred = X[r * d + c] - mean;
        squares = fma(centred, centred, squares);
      }
      result[r] = 1.0 / sqrt(squares / f32(d) + uniforms.epsilon);`
    }
    }`,
  }, [x]);
}

/** `LetheLayerNorm`: x [m, d], gamma, beta [d] to [y [m, d], mean [m], rstd [m]]. */
export function layerNormKernel(args: KernelArguments): TensorInfo[] {
  const { x, gamma, beta } = args.inputs;
  const [m, d] = x.shape;
  const mean = rowStatistic(args, "mean");
  const rstd = rowStatistic(args, "rstd");
  const y = runProgram(args.backend, {
    key: "layerNorm",
    inputs: ["X", "Gamma", "Beta", "Mean", "Rstd"],
    ...over(m),
    outputShape: [m, d],
    uniforms: sizes(m, d),
    code: `fn main() {
      let r = ${INDEX}; let d = uniforms.d;
      if (r >= uniforms.m) { return; }
      let mean = Mean[r]; let rstd = Rstd[r];
      for (var c = 0; c < d; c = c + 1) {
        result[r * d + c] = fma((X[r * d + c] - mean) * rstd, Gamma[c], Beta[c]);
      }
    }`,
  }, [x, gamma, beta, mean, rstd]);
  return [y, mean, rstd];
}

/** `LetheLayerNormGrad`: dy, x [m, d], gamma [d], mean, rstd [m] to [dx, dgamma, dbeta]. */
export function layerNormGradKernel(args: KernelArguments): TensorInfo[] {
  const { dy, x, gamma, mean, rstd } = args.inputs;
  const [m, d] = x.shape;
  const dx = runProgram(args.backend, {
    key: "layerNorm dx",
    inputs: ["DY", "X", "Gamma", "Mean", "Rstd"],
    ...over(m),
    outputShape: [m, d],
    uniforms: sizes(m, d),
    code: `fn main() {
      let r = ${INDEX}; let d = uniforms.d;
      if (r >= uniforms.m) { return; }
      let mean = Mean[r]; let rstd = Rstd[r];
      var sum = 0.0; var along = 0.0;
      for (var c = 0; c < d; c = c + 1) {
        let g = DY[r * d + c] * Gamma[c];
        sum = sum + g;
        along = fma(g, (X[r * d + c] - mean) * rstd, along);
      }
      sum = sum / f32(d); along = along / f32(d);
      for (var c = 0; c < d; c = c + 1) {
        let normal = (X[r * d + c] - mean) * rstd;
        result[r * d + c] = rstd * (DY[r * d + c] * Gamma[c] - sum - normal * along);
      }
    }`,
  }, [dy, x, gamma, mean, rstd]);
  const dGamma = runProgram(args.backend, {
    key: "layerNorm dgamma",
    inputs: ["DY", "X", "Mean", "Rstd"],
    ...over(d),
    outputShape: [d],
    uniforms: sizes(m, d),
    code: `fn main() {
      let c = ${INDEX}; let d = uniforms.d;
      if (c >= d) { return; }
      var sum = 0.0;
      for (var r = 0; r < uniforms.m; r = r + 1) {
        sum = fma(DY[r * d + c], (X[r * d + c] - Mean[r]) * Rstd[r], sum);
      }
      result[c] = sum;
    }`,
  }, [dy, x, mean, rstd]);
  return [dx, dGamma, columnSumKernel({ ...args, inputs: { x: dy } })];
}

/** `LetheColumnSum`: the sum over the rows of x [m, n], [n]. */
export function columnSumKernel({ inputs: { x }, backend }: KernelArguments): TensorInfo {
  const [m, d] = x.shape;
  return runProgram(backend, {
    key: "columnSum",
    inputs: ["X"],
    ...over(d),
    outputShape: [d],
    uniforms: sizes(m, d),
    code: `fn main() {
      let c = ${INDEX}; let d = uniforms.d;
      if (c >= d) { return; }
      var sum = 0.0;
      for (var r = 0; r < uniforms.m; r = r + 1) { sum = sum + X[r * d + c]; }
      result[c] = sum;
    }`,
  }, [x]);
}
