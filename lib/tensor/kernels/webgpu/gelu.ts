import { elementwise } from "./elementwise.ts";
import type { KernelArguments } from "./program.ts";
import type { TensorInfo } from "@tensorflow/tfjs";

/**
 * Phi(x) and phi(x) for WGSL's `x`; it has no erf. The tail 1 - Phi(|x|) is a polynomial times
 * exp(-x^2 / 2) (Abramowitz & Stegun 7.1.26, absolute error of erf below 1.5e-7), so that it keeps its
 * relative precision where GELU is small.
 */
export const NORMAL = `
  let bell = exp(-0.5 * x * x);
  let t = 1.0 / (1.0 + 0.23164189 * abs(x));
  let tail = 0.5 * bell * t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 +
    t * (-1.453152027 + t * 1.061405429))));
  let distribution = select(1.0 - tail, tail, x < ZERO);
  let density = 0.39894228 * bell;
`;

/** `LetheGelu`: x Phi(x), any shape. */
export function geluKernel(args: KernelArguments): TensorInfo {
  const { x } = args.inputs;
  return elementwise(
    args,
    "gelu",
    { X: x },
    {},
    `let x = X[i]; ${NORMAL} result[i] = x * distribution;`,
  );
}

/** `LetheGeluGrad`: dy (Phi(x) + x phi(x)); with `half`, x is pairs of halves. */
export function geluGradKernel(args: KernelArguments): TensorInfo {
  const { dy, x } = args.inputs;
  const half = Boolean(args.attrs.half);
  return elementwise(
    args,
    "gelu gradient",
    { DY: dy, X: x },
    {},
    `let x = ${
      half ? "half" : "X[i]"
    }; ${NORMAL} result[i] = DY[i] * (distribution + x * density);`,
    half ? "X" : undefined,
  );
}

/**
 * `LetheGeluTangentGrad`: the gradient of a tangent of GELU, T = g f(x) with f = Phi + x phi, along u; u,
 * x and g of one shape to [dx = u g phi (2 - x^2), dg = u f(x)].
 */
export function geluTangentGradKernel(args: KernelArguments): TensorInfo[] {
  const { u, x, g } = args.inputs;
  const dx = elementwise(
    args,
    "gelu gradient of tangent",
    { U: u, X: x, G: g },
    {},
    `let x = X[i]; ${NORMAL} result[i] = U[i] * G[i] * (density * (2.0 - x * x));`,
  );
  return [dx, geluGradKernel({ ...args, inputs: { dy: u, x }, attrs: { half: false } })];
}
