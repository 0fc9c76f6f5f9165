import { HALF_FUNCTIONS, read } from "./half_source.ts";
import { flatIndex } from "./program.ts";
import { type EndingKind, store, zero } from "./product_ending.ts";
import type { ProductKernel } from "./product_kernels.ts";

/** What a product's code depends on besides the kernel; sizes are uniforms. */
export interface Variant {
  /** Whether the rows of a and b run along the inner axis. */
  readonly alongInner: readonly [boolean, boolean];
  /** Floats per load of a, of b, and per store. */
  readonly width: readonly [1 | 4, 1 | 4, 1 | 4];
  /** Whether a and b are pairs of halves. */
  readonly half: readonly [boolean, boolean];
  /** Whether k is not a multiple of four. */
  readonly ragged: boolean;
  readonly bias: boolean;
  readonly ending?: EndingKind | undefined;
  /** Whether a's rows are added up over the inner index, into `RowSums` [images, m]; tiled ones only. */
  readonly rowSums?: boolean | undefined;
}

/** 0 .. n - 1, to write lines out. */
export const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const COMPONENT = ["x", "y", "z", "w"];

/**
 * Lines that load what a tile needs of one operand for the inner indices p to p + 3, and how the value
 * at (place in the tile, inner index) is then called.
 */
function loads(name: "A" | "B", size: number, variant: Variant) {
  const side = name === "A" ? 0 : 1;
  const v = name.toLowerCase();
  const [width, half] = [variant.width[side], variant.half[side]];
  const vector = width === 4;
  // Beyond k a must be zero, not merely some number.
  const mask = name === "A" && variant.ragged;
  const inner = (q: number) => `min(p + ${q}, kLast)`;
  const guard = (value: string, zero: string, q: number) =>
    mask ? `select(${zero}, ${value}, p + ${q} < k)` : value;
  if (variant.alongInner[side]) {
    const line = (i: number) => {
      if (vector) return `let ${v}${i} = ${read(name, `${v}At${i} + p`, 4, half)};`;
      const parts = range(4).map((q) =>
        guard(read(name, `${v}At${i} + ${inner(q)}`, 1, half), "0.0", q)
      );
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
  const load = (i: number, q: number) => {
    const value = read(name, `${v}Base + ${inner(q)} * uniforms.${v}Row + ${v}At${i}`, width, half);
    return `let ${v}${i}_${q} = ${guard(value, vector ? "vec4<f32>(0.0)" : "0.0", q)};`;
  };
  return {
    places: range(size / step).map((i) =>
      `let ${v}At${i} = min(${v}0 + ${i * step}, uniforms.${v}Last);`
    ),
    lines: range(4).flatMap((q) => range(size / step).map((i) => load(i, q))),
    at: (i: number, q: number) =>
      vector ? `${v}${i >> 2}_${q}.${COMPONENT[i & 3]}` : `${v}${i}_${q}`,
  };
}

/** Lines that store an invocation's tile, row by row, where it lies inside the result. */
function stores({ rows, columns }: ProductKernel, { width, bias, ending }: Variant): string[] {
  const step = width[2];
  const inFours = (index: string) => step === 4 ? `(${index}) >> 2u` : index;
  return range(columns / step).flatMap((j) => [
    `if (b0 + ${j * step} < uniforms.n) {`,
    bias ? `let bias = Bias[${inFours(`b0 + ${j * step}`)}];` : "",
    ...range(rows).map((i) => {
      const sums = range(step).map((c) => `s${i}_${j * step + c}`).join(", ");
      const value = `${step === 4 ? `vec4<f32>(${sums})` : sums} * uniforms.scale`;
      const at = inFours(`cBase + (a0 + ${i}) * uniforms.cRow + b0 + ${j * step}`);
      return `if (a0 + ${i} < uniforms.m) { ${
        store(ending, `${value}${bias ? " + bias" : ""}`, at)
      } }`;
    }),
    "}",
  ]);
}

/** What stands before `main`: the functions that unpack halves, where they are needed. */
export function functions({ half }: Variant): string {
  return half.includes(true) ? HALF_FUNCTIONS : "";
}

/** Lines that find the tile: where it begins (a0, b0), where its matrices lie, how long its sums are. */
export function places(tile: string, [rows, columns]: readonly [number, number]): string[] {
  const base = (v: string) =>
    `let ${v}Base = uniforms.${v}Offset + image * uniforms.${v}Image + head * uniforms.${v}Head;`;
  return [
    `let tile = ${tile};`,
    "let rowsOfTiles = tile / uniforms.columnTiles;",
    `let tileColumn = (tile % uniforms.columnTiles) * ${columns};`,
    `let tileRow = (rowsOfTiles % uniforms.rowTiles) * ${rows};`,
    "let block = rowsOfTiles / uniforms.rowTiles;",
    "let image = block / uniforms.heads;",
    "let head = block % uniforms.heads;",
    "let k = min(uniforms.k - image * uniforms.skip, uniforms.part);",
    "let kLast = min(uniforms.kLast, k - 1);",
    ...["a", "b", "c"].map(base),
  ];
}

/** Lines that declare the sums of an invocation's tile. */
function sums({ rows, columns }: ProductKernel): string[] {
  return range(rows).flatMap((i) => range(columns).map((j) => `var s${i}_${j} = 0.0;`));
}

/** WGSL of a product whose lanes each read for themselves, four inner indices at a time. */
export function registerSource(kernel: ProductKernel, variant: Variant): string {
  const { rows, columns, lanes } = kernel;
  const a = loads("A", rows, variant);
  const b = loads("B", columns, variant);
  // The four steps of one sum stand together: the compiler then keeps it in a register.
  const sum = (i: number, j: number) =>
    `s${i}_${j} = ${
      range(4).reduce((so, q) => `fma(${a.at(i, q)}, ${b.at(j, q)}, ${so})`, `s${i}_${j}`)
    };`;
  return [
    functions(variant),
    zero(variant.width[2]),
    "fn main() {",
    ...places(flatIndex(lanes), [rows, columns]),
    "if (tile >= uniforms.tiles) { return; }",
    "let a0 = tileRow;",
    "let b0 = tileColumn;",
    ...a.places,
    ...b.places,
    ...sums(kernel),
    "for (var p = 0; p < k; p = p + 4) {",
    ...a.lines,
    ...b.lines,
    ...range(rows).flatMap((i) => range(columns).map((j) => sum(i, j))),
    "}",
    ...stores(kernel, variant),
    "}",
  ].join("\n");
}
