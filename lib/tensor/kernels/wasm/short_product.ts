import type { TensorInfo } from "@tensorflow/tfjs";
import {
  add,
  addFours,
  advance,
  type Code,
  constant,
  countDown,
  everyElement,
  get,
  I32,
  lanes,
  loadFour,
  loadOne,
  multiply,
  multiplyFours,
  set,
  storeFour,
  storeOne,
  V128,
  type WasmFunction,
  zero,
} from "./assembler.ts";
import { heapFunction } from "./heap.ts";
import { floatsOf, registerWasmKernel, type WasmKernelArguments } from "./kernel.ts";

/**
 * a bT on tfjs's WASM backend for an a of few rows, as the head and the meta-loss have: rows of both
 * lie in memory as they are read, so nothing is transposed. A transpose, for tfjs's fast product, takes
 * longer there than the product itself.
 */

/** Parameters (addresses and sizes), then locals. */
const NAMES = [
  ...["a", "b", "c", "m", "n", "k"],
  ...["columns", "rows", "inner", "at", "cAt", "rowBytes", "cRowBytes", "b0", "b1", "b2", "b3"],
  ...["x", "s0", "s1", "s2", "s3"],
] as const;
const at = Object.fromEntries(NAMES.map((name, i) => [name, i])) as Record<
  typeof NAMES[number],
  number
>;

/** Adds to one or four columns of c, all of its rows: one or four rows of b stay in the cache. */
function columns(count: 1 | 4): Code {
  const all = [0, 1, 2, 3].slice(0, count);
  const pointer = (j: number) => at[`b${j}` as "b0"];
  const sum = (j: number) => at[`s${j}` as "s0"];
  const step = (load: Code, bytes: number): Code => [
    ...[...get(at.at), ...load, ...set(at.x)],
    ...all.flatMap((j) => [
      ...[...get(sum(j)), ...get(at.x), ...get(pointer(j)), ...load],
      ...[...multiplyFours, ...addFours, ...set(sum(j))],
    ]),
    ...[at.at, ...all.map(pointer)].flatMap((local) => advance(local, constant(bytes))),
  ];
  /** Of sums u and v, [u0 + u2, v0 + v2, u1 + u3, v1 + v3]. */
  const paired = (u: number, v: number): Code => [
    ...[...get(sum(u)), ...get(sum(v)), ...lanes(0, 4, 1, 5)],
    ...[...get(sum(u)), ...get(sum(v)), ...lanes(2, 6, 3, 7), ...addFours],
  ];
  const last = count - 1;
  const totals: Code = [
    ...[...paired(0, Math.min(1, last)), ...set(at.x)],
    ...[...paired(Math.min(2, last), last), ...set(at.s0)],
    ...[...get(at.x), ...get(at.s0), ...lanes(0, 1, 4, 5)],
    ...[...get(at.x), ...get(at.s0), ...lanes(2, 3, 6, 7), ...addFours],
  ];
  const [load, store] = count === 4 ? [loadFour(0), storeFour(0)] : [loadOne, storeOne];
  const row: Code = [
    ...all.flatMap((j) => [
      ...[...get(at.b), ...get(at.rowBytes), ...constant(j), ...multiply, ...add],
      ...[...set(pointer(j)), ...zero, ...set(sum(j))],
    ]),
    ...everyElement(get(at.k), at.inner, step(loadFour(0), 16), step(loadOne, 4)),
    ...[...get(at.cAt), ...get(at.cAt), ...load, ...totals, ...addFours, ...store],
    ...advance(at.cAt, get(at.cRowBytes)),
  ];
  return [
    ...[...get(at.a), ...set(at.at), ...get(at.c), ...set(at.cAt)],
    ...[...get(at.m), ...set(at.rows)],
    ...countDown(at.rows, 1, row),
    ...[...get(at.b), ...get(at.rowBytes), ...constant(count), ...multiply, ...add, ...set(at.b)],
    ...advance(at.c, constant(4 * count)),
  ];
}

/** c += a bT, for a [m, k], b [n, k] and c [m, n] with m > 0. */
function assemble(): Omit<WasmFunction, "name"> {
  const times = (size: number, bytes: number): Code => [
    ...[...get(size), ...constant(bytes), ...multiply],
  ];
  return {
    parameters: Array(6).fill(I32),
    locals: [[11, I32], [5, V128]],
    body: [
      ...[...times(at.k, 4), ...set(at.rowBytes), ...times(at.n, 4), ...set(at.cRowBytes)],
      ...everyElement(get(at.n), at.columns, columns(4), columns(1)),
    ],
  };
}

const addProduct = heapFunction(assemble);

/** `LetheShortProduct`: a [m, k] and b [n, k] to a bT, plus bias [n] if there is one. */
function shortProduct({ backend, inputs }: WasmKernelArguments): TensorInfo {
  const { a, b, bias } = inputs;
  const [[m, k], [n]] = [a.shape, b.shape];
  const output = backend.makeOutput([m, n], "float32");
  const [x, y, c] = floatsOf(backend, [a, b, output]);
  if (bias === undefined) c.fill(0);
  else for (let i = 0; i < m; i++) c.set(floatsOf(backend, [bias])[0], i * n);
  if (m > 0) addProduct(backend, x.byteOffset, y.byteOffset, c.byteOffset, m, n, k);
  return output;
}

/** Registers products of few rows for the WASM backend. */
export function registerWasmShortProduct(): void {
  registerWasmKernel("LetheShortProduct", shortProduct);
}
