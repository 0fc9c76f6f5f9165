import type { TensorInfo } from "@tensorflow/tfjs";
import { sumOfRows } from "../column_sum.ts";
import { gathered, moments, rowProgram, rowsPerPlace } from "./on_card.ts";
import { type KernelArguments, release } from "../program.ts";
import { rowLanes, sumOverRow } from "./row_lanes.ts";

/**
 * `LetheLayerNormTangentGrad`: the gradient of a tangent of LayerNorm, T = gamma P(g), along u [m, d]:
 * u, x, g (the tangent of x) [m, d], gamma [d] to [dx, dg, dgamma].
 *
 * With n = (x - mean) r, w = gamma u, b = mean(g n), c = mean(w n) and S = <w, P(g)>:
 * dg = P(w) = r (w - mean w - n c), dgamma = sum_m u P(g),
 * dx = -r S n / d - r^2 (b (w - mean w - n c) + c (g - mean g - n b)).
 */
export function layerNormTangentGradKernel(args: KernelArguments): TensorInfo[] {
  const { u, x, g, gamma } = args.inputs;
  const [m, d] = x.shape;
  const lanes = rowLanes(d);
  const { columns, across, width } = lanes;
  const own = Array.from({ length: Math.ceil(columns / across) }, (_, j) => j);
  const { passes, groups } = rowsPerPlace(m, lanes);
  const sums = args.backend.makeTensorInfo([groups, d], "float32");
  const dg = args.backend.makeTensorInfo([m, d], "float32");
  const dx = rowProgram(args, lanes, m, {
    key: "gradient of tangent",
    inputs: { U: ["rows", u], X: ["rows", x], G: ["rows", g], Gamma: ["vector", gamma] },
    outputShape: [m, d],
    written: { DG: [width, dg], Sums: [width, sums] },
    epsilon: args.attrs.epsilon as number,
    passes,
    before: own.map((j) => `var dgamma${j} = ZERO;`).join(" "),
    row: `${moments(lanes)}
    ${sumOverRow(lanes, "along", "G[at]", "G[at] * ((X[at] - mean) * rstd)")}
    ${
      sumOverRow(
        lanes,
        "weighed",
        "Gamma[c] * U[at]",
        "Gamma[c] * U[at] * ((X[at] - mean) * rstd)",
      )
    }
    ${sumOverRow(lanes, "both", "Gamma[c] * U[at] * G[at]")}
    let b = along.y / D; let q = weighed.y / D;
    let s = rstd * (both.x - weighed.x * along.x / D - weighed.y * along.y / D);
    if (within) {
      ${
      own.map((j) =>
        `{ let c = slot + ${j * across}; if (c < ${columns}) {
        let at = start + c; let normal = (X[at] - mean) * rstd;
        let w = Gamma[c] * U[at] - weighed.x / D - normal * q;
        let g = G[at] - along.x / D - normal * b;
        DG[at] = rstd * w;
        dgamma${j} = dgamma${j} + U[at] * (rstd * g);
        result[at] = -(rstd * s / D) * normal - (rstd * rstd) * (b * w + q * g); } }`
      ).join(
        "\n      ",
      )
    }
    }`,
    after: gathered(lanes, "dgamma", 0, 1),
  });
  const [dGamma] = sumOfRows(args, sums, [d]);
  release(args.backend, sums);
  return [dx, dg, dGamma];
}
