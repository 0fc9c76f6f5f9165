import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { cover, flatIndex, type KernelProgram, runProgram } from "./program.ts";

/**
 * Products of matrices that lie anywhere in a buffer: rows a stride apart, batches in two levels
 * (image, head), so that attention needs no transposes.
 *
 * On a software adapter (lavapipe) a lane's load costs as much as about forty multiply-adds, wherever
 * it points, and shared memory costs no less. So each invocation computes a tile of the product in
 * registers, as large as compile time allows, and loads four numbers at once. Neighbouring tiles need
 * not belong together: any number of them fills the lanes.
 */

/** A batch of matrices in a buffer, in floats. */
export interface Block {
  readonly info: TensorInfo;
  readonly offset: number;
  /** From one row to the next. */
  readonly row: number;
  /** From image to image, and from head to head within an image. */
  readonly image: number;
  readonly head: number;
  /** Whether the rows run along the inner axis of the product (a [m, k], b [n, k]). */
  readonly alongInner: boolean;
  /** Rows of the matrix; those asked for beyond are read as the last one. */
  readonly rows: number;
  /** Floats per row that may be read. */
  readonly columns: number;
}

/** c = scale a b (+ bias), for `images` x `heads` matrices of m x n. */
export interface Product {
  readonly a: Block;
  readonly b: Block;
  /** Where the result goes; `info` may be an output that other products fill in part. */
  readonly c: Omit<Block, "info" | "alongInner" | "rows" | "columns">;
  readonly output: TensorInfo;
  readonly images: number;
  readonly heads: number;
  readonly m: number;
  readonly n: number;
  /** Inner size; beyond it, a and b are not read. */
  readonly k: number;
  /** Inner size per part where the sum is split over the images (then k is the whole of it). */
  readonly part?: number;
  readonly scale?: number;
  /** [n] */
  readonly bias?: TensorInfo;
}

/** Rows and columns per invocation, largest first. */
const TILES = [[16, 16], [16, 8], [8, 8], [4, 4]] as const;
/** Invocations per workgroup. */
const LANES = 8;
/** Workgroups below which cores stand idle. */
const ENOUGH_GROUPS = 4;

type Tile = typeof TILES[number];

function tilesOf({ images, heads, m, n }: Product, [rows, columns]: Tile): number {
  return images * heads * Math.ceil(m / rows) * Math.ceil(n / columns);
}

/** What it takes to begin and store one element, in multiply-adds: decides where sums are short. */
const PER_ELEMENT = 300;

/** The tile of least estimated time: multiply-adds, loads and stores, as measured on lavapipe. */
function chooseTile(product: Product): Tile {
  const k = product.part ?? product.k;
  const cost = (tile: Tile) => {
    const groups = Math.max(ENOUGH_GROUPS, Math.ceil(tilesOf(product, tile) / LANES));
    const elements = tile[0] * tile[1];
    return groups * (k * (elements + 10 * (tile[0] + tile[1])) + PER_ELEMENT * elements);
  };
  return TILES.reduce((best, tile) => cost(tile) < cost(best) ? tile : best);
}

/** Whether every row of a block starts on a multiple of four floats and holds whole fours. */
function isAligned({ offset, row, image, head, columns }: Block): boolean {
  return [offset, row, image, head, columns].every((x) => x % 4 === 0);
}

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const COMPONENT = ["x", "y", "z", "w"];

interface Variant {
  readonly alongInner: readonly [boolean, boolean];
  readonly width: readonly [1 | 4, 1 | 4, 1 | 4];
  /** Whether k is not a multiple of four. */
  readonly ragged: boolean;
  readonly bias: boolean;
}

/**
 * Lines that load what a tile needs of one operand for the inner indices p to p + 3, and how the value
 * at (place in the tile, inner index) is then called.
 */
function loads(name: "A" | "B", size: number, variant: Variant) {
  const side = name === "A" ? 0 : 1;
  const v = name.toLowerCase();
  const vector = variant.width[side] === 4;
  // Beyond k a must be zero, not merely some number.
  const mask = name === "A" && variant.ragged;
  const inner = (q: number) => `min(p + ${q}, kLast)`;
  const guard = (value: string, zero: string, q: number) =>
    mask ? `select(${zero}, ${value}, p + ${q} < k)` : value;
  if (variant.alongInner[side]) {
    const line = (i: number) => {
      if (vector) return `let ${v}${i} = ${name}[(${v}At${i} + p) >> 2u];`;
      const parts = range(4).map((q) => guard(`${name}[${v}At${i} + ${inner(q)}]`, "0.0", q));
      return `let ${v}${i} = vec4<f32>(${parts.join(", ")});`;
    };
    return {
      places: range(size).map((i) =>
        `let ${v}At${i} = ${v}Base + min(${v}0 + ${i}, uniforms.${v}Last) * uniforms.${v}Row;`
      ),
      lines: range(size).map(line),
      at: (i: number, q: number) => `${v}${i}.${COMPONENT[q]}`,
    };
  }
  const step = vector ? 4 : 1;
  const read = (i: number, q: number) => {
    const index = `${v}Base + ${inner(q)} * uniforms.${v}Row + ${v}At${i}`;
    const value = vector ? `${name}[(${index}) >> 2u]` : `${name}[${index}]`;
    return `let ${v}${i}_${q} = ${guard(value, vector ? "vec4<f32>(0.0)" : "0.0", q)};`;
  };
  return {
    places: range(size / step).map((i) =>
      `let ${v}At${i} = min(${v}0 + ${i * step}, uniforms.${v}Last);`
    ),
    lines: range(4).flatMap((q) => range(size / step).map((i) => read(i, q))),
    at: (i: number, q: number) =>
      vector ? `${v}${i >> 2}_${q}.${COMPONENT[i & 3]}` : `${v}${i}_${q}`,
  };
}

/** WGSL that stores a tile, row by row, where it lies inside the result. */
function stores([rows, columns]: Tile, { width, bias }: Variant): string[] {
  const step = width[2];
  const inFours = (index: string) => step === 4 ? `(${index}) >> 2u` : index;
  return range(columns / step).flatMap((j) => [
    `if (b0 + ${j * step} < uniforms.n) {`,
    bias ? `let bias = Bias[${inFours(`b0 + ${j * step}`)}];` : "",
    ...range(rows).map((i) => {
      const sums = range(step).map((c) => `s${i}_${j * step + c}`).join(", ");
      const value = `${step === 4 ? `vec4<f32>(${sums})` : sums} * uniforms.scale`;
      const at = inFours(`cBase + (a0 + ${i}) * uniforms.cRow + b0 + ${j * step}`);
      return `if (a0 + ${i} < uniforms.m) { result[${at}] = ${value}${bias ? " + bias" : ""}; }`;
    }),
    "}",
  ]);
}

function source(tile: Tile, variant: Variant): string {
  const [rows, columns] = tile;
  const a = loads("A", rows, variant);
  const b = loads("B", columns, variant);
  const base = (v: string) =>
    `let ${v}Base = uniforms.${v}Offset + image * uniforms.${v}Image + head * uniforms.${v}Head;`;
  // The four steps of one sum stand together: the compiler then keeps it in a register.
  const sum = (i: number, j: number) =>
    `s${i}_${j} = ${
      range(4).reduce((so, q) => `fma(${a.at(i, q)}, ${b.at(j, q)}, ${so})`, `s${i}_${j}`)
    };`;
  return [
    "fn main() {",
    `let tile = ${flatIndex(LANES)};`,
    "if (tile >= uniforms.tiles) { return; }",
    "let across = tile / uniforms.columnTiles;",
    `let b0 = (tile % uniforms.columnTiles) * ${columns};`,
    `let a0 = (across % uniforms.rowTiles) * ${rows};`,
    "let block = across / uniforms.rowTiles;",
    "let image = block / uniforms.heads;",
    "let head = block % uniforms.heads;",
    "let k = min(uniforms.k - image * uniforms.skip, uniforms.part);",
    "let kLast = min(uniforms.kLast, k - 1);",
    ...["a", "b", "c"].map(base),
    ...a.places,
    ...b.places,
    ...range(rows).flatMap((i) => range(columns).map((j) => `var s${i}_${j} = 0.0;`)),
    "for (var p = 0; p < k; p = p + 4) {",
    ...a.lines,
    ...b.lines,
    ...range(rows).flatMap((i) => range(columns).map((j) => sum(i, j))),
    "}",
    ...stores(tile, variant),
    "}",
  ].join("\n");
}

function i32s(values: Readonly<Record<string, number>>): NonNullable<KernelProgram["uniforms"]> {
  return Object.entries(values).map(([name, value]) => ({ name, type: "i32", value }));
}

/** Largest start of a read across the rows of a block, or its last row. */
function lastOf(block: Block, width: 1 | 4): number {
  return block.alongInner ? block.rows - 1 : block.columns - width;
}

/** Queues a product; it writes into `output`. */
export function multiply(backend: WebGPUBackend, product: Product): void {
  const { a, b, c, m, n, k, part, heads, bias, scale = 1, output } = product;
  const tile = chooseTile(product);
  // Rows along the inner axis are read in fours only if the inner size is made of fours.
  const widthOf = (block: Block) => isAligned(block) && (!block.alongInner || k % 4 === 0) ? 4 : 1;
  const storesFours = n % 4 === 0 && [c.offset, c.row, c.image, c.head].every((x) => x % 4 === 0);
  const stored: 1 | 4 = storesFours ? 4 : 1;
  const variant: Variant = {
    alongInner: [a.alongInner, b.alongInner],
    width: [widthOf(a), widthOf(b), stored],
    ragged: k % 4 !== 0,
    bias: bias !== undefined,
  };
  const tiles = tilesOf(product, tile);
  const innerRows = [a, b].filter((block) => !block.alongInner).map((block) => block.rows);
  runProgram(
    backend,
    {
      key: `product ${tile} ${JSON.stringify(variant)}`,
      inputs: bias ? ["A", "B", "Bias"] : ["A", "B"],
      widths: [variant.width[0], variant.width[1], ...bias ? [stored] : [], stored],
      workgroupSize: [LANES, 1, 1],
      workgroups: cover(tiles, LANES),
      outputShape: output.shape,
      code: source(tile, variant),
      uniforms: [
        ...i32s({
          m,
          n,
          k,
          part: part ?? k,
          skip: part ?? 0,
          kLast: Math.min(k, ...innerRows) - 1,
          heads,
          tiles,
          rowTiles: Math.ceil(m / tile[0]),
          columnTiles: Math.ceil(n / tile[1]),
          aOffset: a.offset,
          aImage: a.image,
          aHead: a.head,
          aRow: a.row,
          aLast: lastOf(a, variant.width[0]),
          bOffset: b.offset,
          bImage: b.image,
          bHead: b.head,
          bRow: b.row,
          bLast: lastOf(b, variant.width[1]),
          cOffset: c.offset,
          cImage: c.image,
          cHead: c.head,
          cRow: c.row,
        }),
        { name: "scale", type: "f32", value: scale },
      ],
    },
    bias ? [a.info, b.info, bias] : [a.info, b.info],
    output,
  );
}
