import type { TensorInfo } from "@tensorflow/tfjs";
import { type KernelArguments, type KernelProgram, runProgram } from "./program.ts";

/**
 * A tiling: each invocation computes `rows` x `columns` of the product in registers; `lanes` of them
 * stand side by side along the columns. Operand a is the same for all lanes of a workgroup, which a
 * software adapter loads once; b differs, so a tall tile spreads its cost.
 */
export interface Tiling {
  readonly lanes: number;
  readonly rows: number;
  readonly columns: number;
}

/** The tilings, largest first: a smaller one serves products that the larger would leave idle. */
export const TILINGS: readonly Tiling[] = [
  { lanes: 8, rows: 16, columns: 8 },
  { lanes: 8, rows: 8, columns: 8 },
  { lanes: 8, rows: 8, columns: 4 },
  { lanes: 8, rows: 4, columns: 4 },
];

/** Workgroups below which a smaller tiling is taken, so that cores do not stand idle. */
const ENOUGH_GROUPS = 8;

interface Shape {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

function groupsOf({ batch, m, n }: Shape, { lanes, rows, columns }: Tiling) {
  return [Math.ceil(n / (lanes * columns)), Math.ceil(m / rows), batch] as const;
}

/** The largest tiling that keeps the cores busy without wasting most of its tiles. */
export function chooseTiling(shape: Shape): Tiling {
  const fits = TILINGS.find((tiling) => {
    const [x, y, z] = groupsOf(shape, tiling);
    const used = (shape.m * shape.n) /
      (x * tiling.lanes * tiling.columns * y * tiling.rows);
    return x * y * z >= ENOUGH_GROUPS && used > 0.6;
  });
  return fits ?? TILINGS.at(-1)!;
}

/**
 * WGSL of one product. Operands are read as scalars or, where `vector` says so, as vec4 along their
 * contiguous axis. Rows and columns beyond the edge repeat the last one and are not stored.
 */
function source(
  { lanes, rows, columns }: Tiling,
  { transposeA, transposeB, bias, vector }: {
    transposeA: boolean;
    transposeB: boolean;
    bias: boolean;
    vector: boolean;
  },
): string {
  const range = (n: number) => Array.from({ length: n }, (_, i) => i);
  const component = ["x", "y", "z", "w"];
  const lines: string[] = [];
  const emit = (line: string) => lines.push(line);
  emit(`fn main() {
    let m = uniforms.m; let n = uniforms.n; let k = uniforms.k;
    let row0 = i32(workgroupId.y) * ${rows};
    let col0 = (i32(workgroupId.x) * ${lanes} + i32(localId.x)) * ${columns};
    let aBase = i32(workgroupId.z) * m * k;
    let bBase = i32(workgroupId.z) * k * n;`);
  for (const i of range(rows)) emit(`let r${i} = min(row0 + ${i}, m - 1);`);
  for (const j of range(columns)) emit(`let c${j} = min(col0 + ${j}, n - 1);`);
  for (const i of range(rows)) {
    for (const j of range(columns)) emit(`var s${i}_${j} = 0.0;`);
  }
  // a(i, p) and b(p, j) at a given inner index.
  const aAt = (i: number, p: string) =>
    transposeA ? `A[aBase + (${p}) * m + r${i}]` : `A[aBase + r${i} * k + ${p}]`;
  const bAt = (j: number, p: string) =>
    transposeB ? `B[bBase + c${j} * k + ${p}]` : `B[bBase + (${p}) * n + c${j}]`;
  const multiply = (a: (i: number) => string, b: (j: number) => string) => {
    for (const i of range(rows)) {
      for (const j of range(columns)) emit(`s${i}_${j} = fma(${a(i)}, ${b(j)}, s${i}_${j});`);
    }
  };
  if (vector) {
    emit(`for (var p = 0; p < k; p = p + 4) {`);
    if (!transposeA) {
      for (const i of range(rows)) emit(`let a${i} = A[(aBase + r${i} * k + p) >> 2u];`);
    }
    if (transposeB) {
      for (const j of range(columns)) emit(`let b${j} = B[(bBase + c${j} * k + p) >> 2u];`);
    }
    for (const q of range(4)) {
      emit("{");
      if (transposeA) {
        for (const i of range(rows / 4)) {
          emit(`let a${i} = A[(aBase + (p + ${q}) * m + min(row0 + ${4 * i}, m - 4)) >> 2u];`);
        }
      }
      if (!transposeB) {
        for (const j of range(columns / 4)) {
          emit(`let b${j} = B[(bBase + (p + ${q}) * n + min(col0 + ${4 * j}, n - 4)) >> 2u];`);
        }
      }
      multiply(
        (i) => transposeA ? `a${i >> 2}.${component[i & 3]}` : `a${i}.${component[q]}`,
        (j) => transposeB ? `b${j}.${component[q]}` : `b${j >> 2}.${component[j & 3]}`,
      );
      emit("}");
    }
    emit("}");
  } else {
    emit(`for (var p = 0; p < k; p = p + 1) {`);
    for (const i of range(rows)) emit(`let a${i} = ${aAt(i, "p")};`);
    for (const j of range(columns)) emit(`let b${j} = ${bAt(j, "p")};`);
    multiply((i) => `a${i}`, (j) => `b${j}`);
    emit("}");
  }
  emit(`let outBase = i32(workgroupId.z) * m * n;`);
  if (vector) {
    for (const j of range(columns / 4)) {
      emit(`if (col0 + ${4 * j} < n) {`);
      const cells = (i: number) => range(4).map((c) => `s${i}_${4 * j + c}`).join(", ");
      if (bias) emit(`let bias = Bias[(col0 + ${4 * j}) >> 2u];`);
      for (const i of range(rows)) {
        emit(`if (row0 + ${i} < m) {
          result[(outBase + (row0 + ${i}) * n + col0 + ${4 * j}) >> 2u] =
            vec4<f32>(${cells(i)})${bias ? " + bias" : ""}; }`);
      }
      emit("}");
    }
  } else {
    for (const j of range(columns)) {
      emit(`if (col0 + ${j} < n) {`);
      if (bias) emit(`let bias = Bias[col0 + ${j}];`);
      for (const i of range(rows)) {
        emit(`if (row0 + ${i} < m) {
          result[outBase + (row0 + ${i}) * n + col0 + ${j}] = s${i}_${j}${
          bias ? " + bias" : ""
        }; }`);
      }
      emit("}");
    }
  }
  emit("}");
  return lines.join("\n");
}

/**
 * `LetheMatMul`: a [m, k] times b [k, n] (each perhaps stored transposed, perhaps with an equal
 * leading batch), plus a bias [n]. Register-tiled, without shared memory.
 */
export function matMulKernel({ inputs, backend, attrs }: KernelArguments): TensorInfo {
  const { a, b, bias } = inputs;
  const [transposeA, transposeB] = [Boolean(attrs.transposeA), Boolean(attrs.transposeB)];
  const batch = a.shape.length === 3 ? a.shape[0] : 1;
  const [a0, a1] = a.shape.slice(-2);
  const [b0, b1] = b.shape.slice(-2);
  const [m, k] = transposeA ? [a1, a0] : [a0, a1];
  const n = transposeB ? b0 : b1;
  if ((transposeB ? b1 : b0) !== k) {
    throw new RangeError(`inner sizes differ: [${a.shape}] times [${b.shape}]`);
  }
  const tiling = chooseTiling({ batch, m, n, k });
  const vector = k % 4 === 0 && n % 4 === 0 && (!transposeA || m % 4 === 0);
  const variant = { transposeA, transposeB, bias: bias !== undefined, vector };
  const program: KernelProgram = {
    key: `matMul ${tiling.lanes}x${tiling.rows}x${tiling.columns} ${JSON.stringify(variant)}`,
    inputs: bias ? ["A", "B", "Bias"] : ["A", "B"],
    width: vector ? 4 : 1,
    workgroupSize: [tiling.lanes, 1, 1],
    workgroups: groupsOf({ batch, m, n, k }, tiling),
    outputShape: a.shape.length === 3 ? [batch, m, n] : [m, n],
    code: source(tiling, variant),
    uniforms: Object.entries({ m, n, k }).map(([name, value]) => ({ name, type: "i32", value })),
  };
  return runProgram(backend, program, bias ? [a, b, bias] : [a, b]);
}
