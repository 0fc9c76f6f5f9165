import type { TensorInfo } from "@tensorflow/tfjs";
import { type Block, multiply } from "./product.ts";
import { onCard } from "./card.ts";
import { cover, flatIndex, type KernelArguments, release, runProgram } from "./program.ts";

/** Inner size below which a sum is not split, and of a part at least. */
const SMALLEST_PART = 128;
/** Products of fewer elements leave cores idle. */
const ENOUGH_ELEMENTS = 32_768;
const LANES = 64;

/** Of a card: the inner size of a part at least, and tiles of 64x64 that keep it busy. */
const SMALLEST_ON_CARD = 64;
const ENOUGH_TILES = 128;

/** The parts that a sum over k falls into, by the sizes and the kind of adapter, so that results repeat. */
function partsOf(m: number, n: number, k: number): number {
  if (onCard()) {
    const tiles = (side: number) => Math.ceil(m / side) * Math.ceil(n / side);
    if (tiles(32) >= ENOUGH_TILES) return 1;
    return Math.max(
      1,
      Math.min(Math.floor(k / SMALLEST_ON_CARD), Math.ceil(ENOUGH_TILES / tiles(64))),
    );
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
 */
export function matMulKernel({ inputs, backend, attrs }: KernelArguments): TensorInfo {
  const { a, b, bias } = inputs;
  const [images, batch] = a.shape.length === 3 ? [a.shape[0], [a.shape[0]]] : [1, []];
  const left = blockOf(a, !attrs.transposeA, Boolean(attrs.halfA));
  const right = blockOf(b, Boolean(attrs.transposeB), Boolean(attrs.halfB));
  const [m, k] = attrs.transposeA ? [left.columns, left.rows] : [left.rows, left.columns];
  const [n, inner] = attrs.transposeB ? [right.rows, right.columns] : [right.columns, right.rows];
  if (inner !== k) throw new RangeError(`inner sizes differ: [${a.shape}] times [${b.shape}]`);
  const parts = images === 1 && bias === undefined ? partsOf(m, n, k) : 1;
  if (parts === 1) {
    const output = backend.makeTensorInfo([...batch, m, n], "float32");
    const c = { offset: 0, row: n, image: m * n, head: 0 };
    multiply(backend, { a: left, b: right, c, output, images, heads: 1, m, n, k, bias });
    return output;
  }
  // A large sum for a small result, as in a weight's gradient: parts of it side by side, then their sum.
  const part = Math.ceil(k / parts / 4) * 4;
  const sums = backend.makeTensorInfo([Math.ceil(k / part), m, n], "float32");
  const shifted = (block: Block): Block => ({
    ...block,
    image: block.alongInner ? part : part * block.row,
  });
  multiply(backend, {
    a: shifted(left),
    b: shifted(right),
    c: { offset: 0, row: n, image: m * n, head: 0 },
    output: sums,
    images: sums.shape[0],
    heads: 1,
    m,
    n,
    k,
    part,
  });
  const total = sumOfParts({ inputs: { sums }, backend, attrs });
  release(backend, sums);
  return total;
}

/** [parts, m, n] to [m, n]. */
function sumOfParts({ inputs: { sums }, backend }: KernelArguments): TensorInfo {
  const [parts, m, n] = sums.shape;
  const width = m * n % 4 === 0 ? 4 : 1;
  const count = m * n / width;
  return runProgram(backend, {
    key: `sum of parts ${width}`,
    inputs: ["Sums"],
    widths: [width, width],
    workgroupSize: [LANES, 1, 1],
    workgroups: cover(count, LANES),
    outputShape: [m, n],
    uniforms: [{ name: "count", type: "i32", value: count }, {
      name: "parts",
      type: "i32",
      value: parts,
    }],
    code: `fn main() {
      let i = ${flatIndex(LANES)};
      if (i >= uniforms.count) { return; }
      var sum = Sums[i];
      for (var part = 1; part < uniforms.parts; part = part + 1) {
        sum = sum + Sums[part * uniforms.count + i];
      }
      result[i] = sum;
    }`,
  }, [sums]);
}
