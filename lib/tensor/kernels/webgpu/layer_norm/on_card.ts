import type { TensorInfo } from "@tensorflow/tfjs";
import { sumOfRows } from "../column_sum.ts";
import { cover, type KernelArguments, release, runProgram } from "../program.ts";
import { eachColumn, rowFunctions, type RowLanes, rowLanes, sumOverRow } from "./row_lanes.ts";

/** Layer normalisation for cards: lanes share rows, and a pass over the rows does all that it can. */

/** Workgroups beyond which each takes more rows, so that fewer partial sums are left to add. */
const ENOUGH_GROUPS = 256;

/** Inputs by name: tensors of rows, one row for all ("vector"), or two numbers per row ("pair"). */
type Inputs = Readonly<Record<string, readonly ["rows" | "vector" | "pair", TensorInfo]>>;

interface RowProgram {
  readonly key: string;
  readonly inputs: Inputs;
  readonly outputShape: readonly number[];
  readonly written?: Readonly<Record<string, readonly [1 | 4, TensorInfo]>>;
  readonly epsilon?: number;
  /** Rows that each lane works through, one after the other; default 1. */
  readonly passes?: number;
  /** WGSL before the rows, for each row (`r`, from `start` on), and after them. */
  readonly before?: string;
  readonly row: string;
  readonly after?: string;
}

/** Queues such a program on [m, d] tensors. */
export function rowProgram(
  { backend }: KernelArguments,
  lanes: RowLanes,
  m: number,
  program: RowProgram,
): TensorInfo {
  const { key, inputs, written = {}, epsilon = 0, passes = 1 } = program;
  const { width, columns, across, rows } = lanes;
  const groups = Math.ceil(m / rows / passes);
  return runProgram(
    backend,
    {
      key: `card layerNorm ${key} ${width * columns} ${passes}`,
      inputs: Object.keys(inputs),
      widths: [...Object.values(inputs).map(([kind]) => kind === "pair" ? 1 : width), width],
      writes: Object.entries(written).map(([name, [width]]) => ({ name, width })),
      workgroupSize: [lanes.lanes, 1, 1],
      workgroups: cover(groups, 1),
      outputShape: program.outputShape,
      uniforms: [
        { name: "m", type: "i32", value: m },
        { name: "groups", type: "i32", value: groups },
        { name: "epsilon", type: "f32", value: epsilon },
      ],
      code: `${rowFunctions(lanes)}
      const D = ${width * columns}.0;
      ${
        program.after
          ? `var<workgroup> beside : array<${width === 4 ? "vec4<f32>" : "f32"}, ${
            rows * columns
          }>;`
          : ""
      }
      fn main() {
        let lane = i32(localId.x); let slot = lane % ${across}; let line = lane / ${across};
        let group = min(i32(workgroupId.y * numWorkgroups.x + workgroupId.x), uniforms.groups - 1);
        ${program.before ?? ""}
        for (var turn = 0; turn < ${passes}; turn = turn + 1) {
          let place = (group * ${passes} + turn) * ${rows} + line;
          let within = place < uniforms.m;
          let r = min(place, uniforms.m - 1);
          let start = r * ${columns};
          ${program.row}
        }
        ${program.after ?? ""}
      }`,
    },
    Object.values(inputs).map(([, info]) => info),
    undefined,
    Object.values(written).map(([, info]) => info),
  );
}

/** WGSL for mean and 1 / deviation of a row of X. */
export function moments(lanes: RowLanes): string {
  return `${sumOverRow(lanes, "sum", "X[at]")}
  let mean = sum.x / D;
  ${sumOverRow(lanes, "squares", "(X[at] - mean) * (X[at] - mean)")}
  let rstd = 1.0 / sqrt(squares.x / D + uniforms.epsilon);`;
}

/** As `LetheLayerNorm`. */
export function layerNormOnCard(args: KernelArguments): TensorInfo[] {
  const { x, gamma, beta } = args.inputs;
  const [m, d] = x.shape;
  const lanes = rowLanes(d);
  const pairs = args.backend.makeTensorInfo([m, 2], "float32");
  const y = rowProgram(args, lanes, m, {
    key: "forward",
    inputs: { X: ["rows", x], Gamma: ["vector", gamma], Beta: ["vector", beta] },
    outputShape: [m, d],
    written: { Moments: [1, pairs] },
    epsilon: args.attrs.epsilon as number,
    row: `${moments(lanes)}
    if (within) {
      if (slot == 0) { Moments[2 * r] = mean; Moments[2 * r + 1] = rstd; }
      ${eachColumn(lanes, "result[at] = (X[at] - mean) * rstd * Gamma[c] + Beta[c];")}
    }`,
  });
  return [y, pairs];
}

/** Rows that a lane's place goes through one after the other, and the workgroups that makes. */
export function rowsPerPlace(
  m: number,
  { rows }: RowLanes,
): { readonly passes: number; readonly groups: number } {
  const passes = Math.max(1, Math.ceil(m / rows / ENOUGH_GROUPS));
  return { passes, groups: Math.ceil(m / rows / passes) };
}

/**
 * WGSL after the rows: what a lane summed up of its columns, `name`0 for its first and so on, goes to
 * `Sums` [groups, parts, d], added up over the workgroup's lines.
 */
export function gathered(lanes: RowLanes, name: string, part: number, parts: number): string {
  const { columns, across, rows } = lanes;
  const own = Array.from({ length: Math.ceil(columns / across) }, (_, j) => j);
  return `
    ${
    own.map((j) =>
      `if (slot + ${j * across} < ${columns}) {
      beside[line * ${columns} + slot + ${j * across}] = ${name}${j}; }`
    ).join(" ")
  }
    workgroupBarrier();
    for (var c = lane; c < ${columns}; c = c + ${lanes.lanes}) {
      var sum = beside[c];
      for (var i = 1; i < ${rows}; i = i + 1) { sum = sum + beside[i * ${columns} + c]; }
      Sums[(group * ${parts} + ${part}) * ${columns} + c] = sum;
    }
    workgroupBarrier();`;
}

/** As `LetheLayerNormGrad`; `residual` [m, d] is added to dx. */
export function layerNormGradOnCard(args: KernelArguments): TensorInfo[] {
  const { dy, x, gamma, moments: pairs, residual } = args.inputs;
  const [m, d] = x.shape;
  const lanes = rowLanes(d);
  const { columns, across, width } = lanes;
  const own = Array.from({ length: Math.ceil(columns / across) }, (_, j) => j);
  const { passes, groups } = rowsPerPlace(m, lanes);
  const sums = args.backend.makeTensorInfo([groups, 2 * d], "float32");
  const dx = rowProgram(args, lanes, m, {
    key: `gradient${residual ? " and residual" : ""}`,
    inputs: {
      DY: ["rows", dy],
      X: ["rows", x],
      Gamma: ["vector", gamma],
      Moments: ["pair", pairs],
      ...residual ? { Residual: ["rows", residual] as const } : {},
    },
    outputShape: [m, d],
    written: { Sums: [width, sums] },
    passes,
    before: own.map((j) => `var dgamma${j} = ZERO; var dbeta${j} = ZERO;`).join(" "),
    row: `let mean = Moments[2 * r]; let rstd = Moments[2 * r + 1];
    ${
      sumOverRow(
        lanes,
        "sum",
        "DY[at] * Gamma[c]",
        "DY[at] * Gamma[c] * ((X[at] - mean) * rstd)",
      )
    }
    if (within) {
      ${
      own.map((j) =>
        `{ let c = slot + ${j * across}; if (c < ${columns}) {
        let at = start + c; let normal = (X[at] - mean) * rstd; let dy = DY[at];
        dgamma${j} = dgamma${j} + dy * normal; dbeta${j} = dbeta${j} + dy;
        result[at] = rstd * (dy * Gamma[c] - sum.x / D - normal * (sum.y / D))${
          residual ? " + Residual[at]" : ""
        }; } }`
      ).join("\n      ")
    }
    }`,
    after: gathered(lanes, "dgamma", 0, 2) + gathered(lanes, "dbeta", 1, 2),
  });
  const [dGamma, dBeta] = sumOfRows(args, sums, [d, d]);
  release(args.backend, sums);
  return [dx, dGamma, dBeta];
}

/** As `LetheLayerNormTangent`. */
export function layerNormTangentOnCard(args: KernelArguments): TensorInfo {
  const { x, dx, gamma, dGamma, dBeta } = args.inputs;
  const [m, d] = x.shape;
  const lanes = rowLanes(d);
  return rowProgram(args, lanes, m, {
    key: `tangent${dGamma ? " gamma" : ""}${dBeta ? " beta" : ""}`,
    inputs: {
      X: ["rows", x],
      DX: ["rows", dx],
      Gamma: ["vector", gamma],
      ...dGamma ? { DGamma: ["vector", dGamma] as const } : {},
      ...dBeta ? { DBeta: ["vector", dBeta] as const } : {},
    },
    outputShape: [m, d],
    epsilon: args.attrs.epsilon as number,
    row: `${moments(lanes)}
    ${sumOverRow(lanes, "moved", "DX[at]", "DX[at] * ((X[at] - mean) * rstd)")}
    if (within) {
      ${
      eachColumn(
        lanes,
        `let normal = (X[at] - mean) * rstd;
        result[at] = Gamma[c] * (rstd * (DX[at] - moved.x / D - normal * (moved.y / D)))${
          dGamma ? " + DGamma[c] * normal" : ""
        }${dBeta ? " + DBeta[c]" : ""};`,
      )
    }
    }`,
  });
}
