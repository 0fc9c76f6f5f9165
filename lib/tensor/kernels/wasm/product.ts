/**
 * A matrix product in WebAssembly SIMD, for matrices that fit the cache: four rows by eight columns of
 * the result stay in registers. tfjs-wasm's own product of single matrices reaches about half of its
 * speed on heads of attention.
 */

import {
  add,
  addFours,
  advance,
  type Code,
  compile,
  constant,
  countDown,
  F32,
  get,
  I32,
  loadFour,
  loadSplat,
  multiply,
  multiplyFours,
  set,
  splat,
  storeFour,
  V128,
  zero,
} from "./assembler.ts";

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

function body(): Code {
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

const PAGE_FLOATS = 2 ** 14;

/** Compiles the module. */
export function productModule(): ProductModule {
  const parameters = [...Array(10).fill(I32), F32];
  const locals = [[10, I32], [11, V128]] as const;
  const module = compile([{ name: "multiply", parameters, locals, body: body() }], "own");
  const { exports } = new WebAssembly.Instance(module);
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
