import type { TensorInfo } from "@tensorflow/tfjs";
import { type Block, multiply } from "./product.ts";
import { columnSumKernel } from "./column_sum.ts";
import { onCard } from "./card.ts";
import { cover, flatIndex, type KernelArguments, release, runProgram } from "./program.ts";

/** Inner size below which a sum is not split, and of a part at least. */
const SMALLEST_PART = 128;
/** Products of fewer elements leave cores idle. */
const ENOUGH_ELEMENTS = 32_768;
const LANES = 64;

/**
 * Of a card: the inner size of a part at least, tiles of 64x64 that keep it busy, and the inner size
 * below which the sum of the parts costs more than they save, unless there are very few tiles.
 */
const SMALLEST_ON_CARD = 64;
const ENOUGH_TILES = 384;
const WORTH_PARTS = 1024;
const FEW_TILES = 16;

/** The parts that a sum over k falls into, by the sizes and the kind of adapter, so that results repeat. */
function partsOf(m: number, n: number, k: number): number {
  if (onCard()) {
    const tiles = Math.ceil(m / 64) * Math.ceil(n / 64);
    if (k < WORTH_PARTS && tiles > FEW_TILES) return 1;
    return Math.max(1, Math.min(Math.floor(k / SMALLEST_ON_CARD), Math.ceil(ENOUGH_TILES / tiles)));
  }
  return Math.max(1, Math.min(Math.floor(k / SMALLEST_PART), Math.ceil(ENOUGH_ELEMENTS / (m * n))));
}

/** A whole matrix, or a batch of them, perhaps of pairs of halves. */
export function blockOf(info: TensorInfo, alongInner: boolean, half = false): Block {
  const [rows, words] = info.shape.slice(-2);
  const columns = half ? 2 * words : words;
  return {
    info,
    half,
    offset: 0,
    row: columns,
    image: rows * columns,
    head: 0,
    alongInner,
    rows,
    columns,
  };
}

/**
 * `LetheMatMul`: a [m, k] times b [k, n] (each perhaps stored transposed, perhaps with an equal
 * leading batch), plus a bias [n]. With `halfA`, `halfB` the operand is pairs of halves.
 *
 * It ends with what else is asked for: `add` [.., m, n] is added, GELU's derivative at `slope` [.., m, n]
 * multiplied; under `gelu` GELU is taken, and what it is taken of is the second result.
 */
export function matMulKernel(
  { inputs, backend, attrs }: KernelArguments,
): TensorInfo | TensorInfo[] {
  const { a, b, bias, add, slope } = inputs;
  const [images, batch] = a.shape.length === 3 ? [a.shape[0], [a.shape[0]]] : [1, []];
  const left = blockOf(a, !attrs.transposeA, Boolean(attrs.halfA));
  const right = blockOf(b, Boolean(attrs.transposeB), Boolean(attrs.halfB));
  const [m, k] = attrs.transposeA ? [left.columns, left.rows] : [left.rows, left.columns];
  const [n, inner] = attrs.transposeB ? [right.rows, right.columns] : [right.columns, right.rows];
  if (inner !== k) throw new RangeError(`inner sizes differ: [${a.shape}] times [${b.shape}]`);
  const ends = add || slope || attrs.gelu;
  const parts = images === 1 && bias === undefined && !ends ? partsOf(m, n, k) : 1;
  if (parts === 1) {
    const output = backend.makeTensorInfo([...batch, m, n], "float32");
    const before = attrs.gelu ? backend.makeTensorInfo(output.shape, "float32") : undefined;
    const c = { offset: 0, row: n, image: m * n, head: 0 };
    const ending = ends ? { add, slope, before } : undefined;
    multiply(backend, { a: left, b: right, c, output, images, heads: 1, m, n, k, bias, ending });
    return before ? [output, before] : output;
  }
  const sums = productInParts(backend, left, right, [m, n, k], parts);
  const total = sumOfParts(backend, sums);
  release(backend, sums);
  return total;
}

/**
 * `LetheWeightGradient`: dy [m, out] and x [m, in] to a layer's [dW = dyT x [out, in], db [out], the sum
 * of dy's rows]. With `half`, x is pairs of halves.
 */
export function weightGradientKernel(args: KernelArguments): TensorInfo[] {
  const { inputs: { dy, x }, backend, attrs } = args;
  if (!onCard()) {
    const flags = { transposeA: true, transposeB: false, halfA: false, halfB: Boolean(attrs.half) };
    const product = matMulKernel({ ...args, inputs: { a: dy, b: x }, attrs: flags }) as TensorInfo;
    return [product, columnSumKernel({ backend, inputs: { x: dy } })];
  }
  const [left, right] = [blockOf(dy, false), blockOf(x, false, Boolean(attrs.half))];
  const [k, m, n] = [left.rows, left.columns, right.columns];
  const parts = partsOf(m, n, k);
  if (parts > 1) {
    const rows = backend.makeTensorInfo([partsFor(k, parts).count, m], "float32");
    const sums = productInParts(backend, left, right, [m, n, k], parts, rows);
    const bias = backend.makeTensorInfo([m], "float32");
    const total = sumOfParts(backend, sums, { rows, bias });
    release(backend, sums, rows);
    return [total, bias];
  }
  const [output, bias] = [[m, n], [m]].map((shape) => backend.makeTensorInfo(shape, "float32"));
  const c = { offset: 0, row: n, image: m * n, head: 0 };
  const sizes = { images: 1, heads: 1, m, n, k };
  multiply(backend, { a: left, b: right, c, output, ...sizes, rowSums: bias });
  return [output, bias];
}

/** The inner size of a part, and how many there are. */
function partsFor(k: number, parts: number): { part: number; count: number } {
  const part = Math.ceil(k / parts / 4) * 4;
  return { part, count: Math.ceil(k / part) };
}

/**
 * A large sum for a small result, as in a weight's gradient: parts of it side by side, [parts, m, n].
 *
 * @param rowSums [parts, m], perhaps to be filled with the sums of a's rows
 */
function productInParts(
  backend: KernelArguments["backend"],
  left: Block,
  right: Block,
  [m, n, k]: readonly [number, number, number],
  parts: number,
  rowSums?: TensorInfo,
): TensorInfo {
  const { part, count } = partsFor(k, parts);
  const sums = backend.makeTensorInfo([count, m, n], "float32");
  const shifted = (block: Block): Block => ({
    ...block,
    image: block.alongInner ? part : part * block.row,
  });
  multiply(backend, {
    a: shifted(left),
    b: shifted(right),
    c: { offset: 0, row: n, image: m * n, head: 0 },
    output: sums,
    images: count,
    heads: 1,
    ...{ m, n, k, part, rowSums },
  });
  return sums;
}

/** [parts, m, n] to [m, n]; perhaps also rows [parts, m] to bias [m]. */
function sumOfParts(
  backend: KernelArguments["backend"],
  sums: TensorInfo,
  beside?: { readonly rows: TensorInfo; readonly bias: TensorInfo },
): TensorInfo {
  const [parts, m, n] = sums.shape;
  const width = m * n % 4 === 0 ? 4 : 1;
  const count = m * n / width;
  const besides = `else if (i < uniforms.count + uniforms.m) {
        let row = i - uniforms.count;
        var sum = Rows[row];
        for (var part = 1; part < uniforms.parts; part = part + 1) {
          sum = sum + Rows[part * uniforms.m + row];
        }
        Bias[row] = sum;
      }`;
  return runProgram(
    backend,
    {
      key: `sum of parts ${width}${beside ? " and rows" : ""}`,
      inputs: ["Sums", ...beside ? ["Rows"] : []],
      widths: [width, ...beside ? [1 as const] : [], width],
      writes: beside ? [{ name: "Bias", width: 1 }] : [],
      workgroupSize: [LANES, 1, 1],
      workgroups: cover(count + (beside ? m : 0), LANES),
      outputShape: [m, n],
      uniforms: Object.entries({ count, parts, m })
        .map(([name, value]) => ({ name, type: "i32", value })),
      code: `fn main() {
      let i = ${flatIndex(LANES)};
      if (i < uniforms.count) {
        var sum = Sums[i];
        for (var part = 1; part < uniforms.parts; part = part + 1) {
          sum = sum + Sums[part * uniforms.count + i];
        }
        result[i] = sum;
      } ${beside ? besides : ""}
    }`,
    },
    [sums, ...beside ? [beside.rows] : []],
    undefined,
    beside ? [beside.bias] : [],
  );
}
