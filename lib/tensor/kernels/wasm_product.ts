/**
 * A matrix product in WebAssembly SIMD, for matrices that fit the cache: four rows by eight columns of
 * the result stay in registers. tfjs-wasm's own product of single matrices reaches about half of its
 * speed on heads of attention.
 *
 * The module is assembled here, since a text or binary file would need a tool or be unreadable.
 */

/** Rows and columns that a product covers at a time: sizes are padded to multiples of them. */
export const TILE_ROWS = 4;
export const TILE_COLUMNS = 8;

/** The smallest multiple of `step` that is not below n. */
export function padded(n: number, step: number): number {
  return Math.ceil(n / step) * step;
}

/** A matrix in the module's memory; distances in floats. */
export interface Matrix {
  readonly offset: number;
  /** From one row to the next. */
  readonly row: number;
  /** From one column to the next; 1 unless it is read transposed. */
  readonly step: number;
}

/** The module with its memory. */
export interface ProductModule {
  /** Its whole memory; a new view after {@link ProductModule.reserve}. */
  floats(): Float32Array;
  /** Makes room for that many floats. */
  reserve(floats: number): void;
  /**
   * c = scale a b. All of the padded sizes is read and written: m is a multiple of
   * {@link TILE_ROWS}, n of {@link TILE_COLUMNS}; b and c have columns side by side.
   */
  multiply(a: Matrix, b: Matrix, c: Matrix, m: number, n: number, k: number, scale: number): void;
}

const [I32, F32, V128, NOTHING] = [0x7f, 0x7d, 0x7b, 0x40];

/** LEB128, as all numbers in a module are written. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [value & 127 | 128, ...unsigned(value >>> 7)];
}
const list = (
  items: readonly (readonly number[])[],
) => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: readonly number[]) => [
  id,
  ...unsigned(content.length),
  ...content,
];
const text = (value: string) => list([...value].map((letter) => [letter.charCodeAt(0)]));

const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
/** Small enough for one byte of signed LEB128: -64 to 63. */
const constant = (value: number) => [0x41, value & 127];
const add = [0x6a];
const multiply = [0x6c];
const simd = (code: number, ...rest: number[]) => [0xfd, ...unsigned(code), ...rest];
/** Alignment (a power of two) and offset of a load or store. */
const loadFour = (offset: number) => simd(0, 2, offset);
const loadSplat = simd(9, 2, 0);
const storeFour = (offset: number) => simd(11, 2, offset);
const zero = simd(12, ...Array(16).fill(0));
const splat = simd(19);
const addFours = simd(228);
const multiplyFours = simd(230);
/** local += amount */
const advance = (local: number, amount: readonly number[]) => [
  ...get(local),
  ...amount,
  ...add,
  ...set(local),
];
/** Repeats the body, at least once, until `count` of the local have been counted down by `step`. */
const countDown = (local: number, step: number, body: readonly number[]) => [
  ...[0x03, NOTHING],
  ...body,
  ...[...get(local), ...constant(-step), ...add, 0x22, local],
  ...[0x0d, 0, 0x0b],
];

/** Parameters, in order; distances in bytes. Then locals. */
const NAMES = [
  ...["a", "b", "c", "m", "n", "k", "aRow", "aStep", "bRow", "cRow", "scale"],
  ...["columns", "inner", "bColumn", "cColumn", "bAt", "cAt", "a0", "a1", "a2", "a3"],
  ...["b0", "b1", "x", "s00", "s01", "s10", "s11", "s20", "s21", "s30", "s31"],
] as const;
const at = Object.fromEntries(NAMES.map((name, i) => [name, i])) as Record<
  typeof NAMES[number],
  number
>;

function body(): number[] {
  const rows = [0, 1, 2, 3];
  const pointer = (i: number) => at[`a${i}` as "a0"];
  const sum = (i: number, j: number) => at[`s${i}${j}` as "s00"];
  const step = [
    ...[...get(at.bAt), ...loadFour(0), ...set(at.b0)],
    ...[...get(at.bAt), ...loadFour(16), ...set(at.b1)],
    ...rows.flatMap((i) => [
      ...[...get(pointer(i)), ...loadSplat, ...set(at.x)],
      ...[0, 1].flatMap((j) => [
        ...[...get(sum(i, j)), ...get(at.x), ...get(j ? at.b1 : at.b0)],
        ...[...multiplyFours, ...addFours, ...set(sum(i, j))],
      ]),
      ...advance(pointer(i), get(at.aStep)),
    ]),
    ...advance(at.bAt, get(at.bRow)),
  ];
  const store = rows.flatMap((i) => [
    ...[0, 1].flatMap((j) => [
      ...get(at.cAt),
      ...[...get(sum(i, j)), ...get(at.scale), ...splat, ...multiplyFours],
      ...storeFour(16 * j),
    ]),
    ...advance(at.cAt, get(at.cRow)),
  ]);
  const tile = [
    ...rows.flatMap((i) => [
      ...[...get(at.a), ...get(at.aRow), ...constant(i), ...multiply, ...add, ...set(pointer(i))],
      ...[0, 1].flatMap((j) => [...zero, ...set(sum(i, j))]),
    ]),
    ...[...get(at.bColumn), ...set(at.bAt), ...get(at.cColumn), ...set(at.cAt)],
    ...[...get(at.k), ...set(at.inner)],
    ...countDown(at.inner, 1, step),
    ...store,
    ...advance(at.bColumn, constant(32)),
    ...advance(at.cColumn, constant(32)),
  ];
  const rowOfTiles = [
    ...[...get(at.b), ...set(at.bColumn), ...get(at.c), ...set(at.cColumn)],
    ...[...get(at.n), ...set(at.columns)],
    ...countDown(at.columns, TILE_COLUMNS, tile),
    ...advance(at.a, [...get(at.aRow), ...constant(TILE_ROWS), ...multiply]),
    ...advance(at.c, [...get(at.cRow), ...constant(TILE_ROWS), ...multiply]),
  ];
  return countDown(at.m, TILE_ROWS, rowOfTiles);
}

/** The module's bytes: one function, `multiply`, and one memory. */
function assemble(): Uint8Array<ArrayBuffer> {
  const parameters = [...Array(10).fill([I32]), [F32]];
  const locals = [[10, I32], [11, V128]];
  const code = [...list(locals), ...body(), 0x0b];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list([[0x60, ...list(parameters), 0]])),
    ...section(3, list([[0]])),
    ...section(5, list([[0, 1]])),
    ...section(7, list([[...text("multiply"), 0, 0], [...text("memory"), 2, 0]])),
    ...section(10, list([[...unsigned(code.length), ...code]])),
  ]);
}

const PAGE_FLOATS = 2 ** 14;

/** Compiles the module. */
export function productModule(): ProductModule {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assemble()));
  const memory = exports.memory as WebAssembly.Memory;
  const run = exports.multiply as (...args: number[]) => void;
  return {
    floats: () => new Float32Array(memory.buffer),
    reserve(floats) {
      const missing = Math.ceil(floats / PAGE_FLOATS) - memory.buffer.byteLength / 4 / PAGE_FLOATS;
      if (missing > 0) memory.grow(missing);
    },
    multiply(a, b, c, m, n, k, scale) {
      const inBytes = [a.row, a.step, b.row, c.row].map((floats) => 4 * floats);
      run(4 * a.offset, 4 * b.offset, 4 * c.offset, m, n, k, ...inBytes, scale);
    },
  };
}
