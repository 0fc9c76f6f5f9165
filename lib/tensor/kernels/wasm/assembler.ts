/**
 * The few WebAssembly instructions that Lethe's modules use, as the bytes that encode them. Modules are
 * assembled at run time, since a text or binary file would need a tool or be unreadable.
 */

import { type Code, instruction, simd, unsigned } from "./instructions.ts";

export { type Code, simd } from "./instructions.ts";

/** Types of values, as the specification numbers them; a block without a result has the type 0x40. */
export const [I32, F32, V128] = [0x7f, 0x7d, 0x7b];
const NOTHING = 0x40;

const list = (items: readonly Code[]) => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: Code) => [id, ...unsigned(content.length), ...content];
const text = (value: string) => list([...value].map((letter) => [letter.charCodeAt(0)]));

export const get = (local: number): Code => instruction("local.get", ...unsigned(local));
export const set = (local: number): Code => instruction("local.set", ...unsigned(local));
/** Small enough for one byte of signed LEB128: -64 to 63. */
export const constant = (value: number): Code => instruction("i32.const", value & 127);
export const add: Code = instruction("i32.add");
export const multiply: Code = instruction("i32.mul");

/** Loads and stores say their alignment, here 2^2 bytes, and their offset. */
const ALIGNMENT = 2;
export const loadFour = (offset: number): Code => simd("v128.load", ALIGNMENT, offset);
export const loadSplat: Code = simd("v128.load32_splat", ALIGNMENT, 0);
export const storeFour = (offset: number): Code => simd("v128.store", ALIGNMENT, offset);
/** Loads one float; the other lanes are zero. */
export const loadOne: Code = simd("v128.load32_zero", ALIGNMENT, 0);
/** Stores the first lane. */
export const storeOne: Code = simd("v128.store32_lane", ALIGNMENT, 0, 0);
export const zero: Code = simd("v128.const", ...Array(16).fill(0));
export const splat: Code = simd("f32x4.splat");
/** Lanes of two values, counted through both: 0 to 3 and 4 to 7. */
export const lanes = (...which: readonly number[]): Code =>
  simd("i8x16.shuffle", ...which.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)));
export const addFours: Code = simd("f32x4.add");
export const multiplyFours: Code = simd("f32x4.mul");

/** A float32 in all four lanes. */
export function fours(value: number): Code {
  const bytes = new Uint8Array(Float32Array.of(value).buffer);
  return [...instruction("f32.const", ...bytes), ...splat];
}

/** local += amount */
export const advance = (local: number, amount: Code): Code => [
  ...get(local),
  ...amount,
  ...add,
  ...set(local),
];

/** Repeats the body, at least once, until `count` of the local have been counted down by `step`. */
export const countDown = (local: number, step: number, body: Code): Code => [
  ...instruction("loop", NOTHING),
  ...body,
  ...[...get(local), ...constant(-step), ...add],
  ...instruction("local.tee", ...unsigned(local)),
  ...instruction("br_if", 0),
  ...instruction("end"),
];

/** The body where the local is not zero. */
const unlessZero = (local: number, body: Code): Code => [
  ...get(local),
  ...instruction("if", NOTHING),
  ...body,
  ...instruction("end"),
];

/** Goes through `count` elements: four at a time, then the last ones one by one; counts in `left`. */
export const everyElement = (count: Code, left: number, inFours: Code, oneByOne: Code): Code => [
  ...[...count, ...constant(2), ...instruction("i32.shr_u"), ...set(left)],
  ...unlessZero(left, countDown(left, 1, inFours)),
  ...[...count, ...constant(3), ...instruction("i32.and"), ...set(left)],
  ...unlessZero(left, countDown(left, 1, oneByOne)),
];

/** A function without a result. */
export interface WasmFunction {
  readonly name: string;
  /** Types, in order. */
  readonly parameters: readonly number[];
  /** Counts and types of the locals that follow the parameters. */
  readonly locals: readonly (readonly [number, number])[];
  readonly body: Code;
}

/**
 * Compiles functions on one memory: their own, exported as `memory`, or an imported one, `host.memory`.
 */
export function compile(
  functions: readonly WasmFunction[],
  memory: "own" | "imported",
): WebAssembly.Module {
  const imported = memory === "imported";
  const types = functions.map(({ parameters }) => [0x60, ...list(parameters.map((t) => [t])), 0]);
  const exported = functions.map(({ name }, i) => [...text(name), 0, ...unsigned(i)]);
  if (!imported) exported.push([...text("memory"), 2, 0]);
  const codes = functions.map(({ locals, body }) => {
    const code = [
      ...list(locals.map(([n, type]) => [...unsigned(n), type])),
      ...body,
      ...instruction("end"),
    ];
    return [...unsigned(code.length), ...code];
  });
  return new WebAssembly.Module(Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...(imported ? section(2, list([[...text("host"), ...text("memory"), 2, 0, 0]])) : []),
    ...section(3, list(functions.map((_, i) => unsigned(i)))),
    ...(imported ? [] : section(5, list([[0, 1]]))),
    ...section(7, list(exported)),
    ...section(10, list(codes)),
  ]));
}
