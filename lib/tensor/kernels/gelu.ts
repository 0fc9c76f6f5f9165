import type { TensorInfo } from "@tensorflow/tfjs";
import { cover, flatIndex, type KernelArguments, runProgram } from "./program.ts";

const SIZE = 64;

/**
 * erf for WGSL, which has none: below 0.5 its Taylor series, elsewhere 1 - P(t) exp(-x^2) with
 * t = 1 / (1 + 0.3275911 x) (Abramowitz & Stegun 7.1.26), which is off by at most 1.5e-7. The series
 * keeps small values exact relative to their size, which the other form does not.
 */
const ERF = `
fn erf(x : f32) -> f32 {
  let a = abs(x);
  if (a < 0.5) {
    let s = x * x;
    return x * (1.1283791671 + s * (-0.3761263890 + s * (0.1128379167 + s * (-0.0268661706 +
      s * (0.0052239776 + s * (-0.0008548327 + s * 0.0001205533))))));
  }
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 +
    t * 1.061405429))));
  return sign(x) * (1.0 - p * exp(-a * a));
}
fn distribution(x : f32) -> f32 { return 0.5 * (1.0 + erf(x * 0.70710678118)); }
`;

function elementwise(
  { backend }: KernelArguments,
  key: string,
  names: string[],
  inputs: TensorInfo[],
  value: string,
): TensorInfo {
  const { shape } = inputs[0];
  const size = shape.reduce((a, b) => a * b, 1);
  return runProgram(backend, {
    key,
    inputs: names,
    workgroupSize: [SIZE, 1, 1],
    workgroups: cover(size, SIZE),
    outputShape: shape,
    uniforms: [{ name: "count", type: "i32", value: size }],
    code: `${ERF}
    fn main() {
      let i = ${flatIndex(SIZE)};
      if (i < uniforms.count) { ${value} }
    }`,
  }, inputs);
}

/** `LetheGelu`: x Phi(x), any shape. */
export function geluKernel(args: KernelArguments): TensorInfo {
  return elementwise(
    args,
    "gelu",
    ["X"],
    [args.inputs.x],
    "let x = X[i]; result[i] = x * distribution(x);",
  );
}

/** `LetheGeluGrad`: dy (Phi(x) + x phi(x)). */
export function geluGradKernel(args: KernelArguments): TensorInfo {
  return elementwise(
    args,
    "gelu gradient",
    ["DY", "X"],
    [args.inputs.dy, args.inputs.x],
    "let x = X[i]; result[i] = DY[i] * (distribution(x) + x * 0.39894228040 * exp(-0.5 * x * x));",
  );
}
