/**
 * The few WebAssembly instructions that Lethe's modules use, as the bytes that encode them. Modules are
 * assembled at run time, since a text or binary file would need a tool or be unreadable.
 */

/** Bytes of instructions. */
export type Code = readonly number[];

export const [I32, F32, V128] = [0x7f, 0x7d, 0x7b];
const NOTHING = 0x40;

/** LEB128, as all numbers in a module are written. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [value & 127 | 128, ...unsigned(value >>> 7)];
}
const list = (items: readonly Code[]) => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: Code) => [id, ...unsigned(content.length), ...content];
const text = (value: string) => list([...value].map((letter) => [letter.charCodeAt(0)]));

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number): Code => [0x21, ...unsigned(local)];
/** Small enough for one byte of signed LEB128: -64 to 63. */
export const constant = (value: number): Code => [0x41, value & 127];
export const add: Code = [0x6a];
export const multiply: Code = [0x6c];
const and: Code = [0x71];
const shiftRight: Code = [0x76];

/** A SIMD instruction by its number, which follows a prefix. */
export const simd = (code: number, ...rest: number[]): Code => [0xfd, ...unsigned(code), ...rest];
/** Alignment (a power of two) and offset of a load or store. */
export const loadFour = (offset: number): Code => simd(0, 2, offset);
export const loadSplat: Code = simd(9, 2, 0);
export const storeFour = (offset: number): Code => simd(11, 2, offset);
/** Loads one float; the other lanes are zero. */
export const loadOne: Code = simd(92, 2, 0);
/** Stores the first lane. */
export const storeOne: Code = simd(90, 2, 0, 0);
export const zero: Code = simd(12, ...Array(16).fill(0));
export const splat: Code = simd(19);
/** Lanes of two values, counted through both: 0 to 3 and 4 to 7. */
export const lanes = (...which: readonly number[]): Code =>
  simd(13, ...which.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)));
export const addFours: Code = simd(228);
export const multiplyFours: Code = simd(230);

/** A float32 in all four lanes. */
export function fours(value: number): Code {
  return [0x43, ...new Uint8Array(Float32Array.of(value).buffer), ...splat];
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
  ...[0x03, NOTHING],
  ...body,
  ...[...get(local), ...constant(-step), ...add, 0x22, ...unsigned(local)],
  ...[0x0d, 0, 0x0b],
];

/** The body where the local is not zero. */
const unlessZero = (local: number, body: Code): Code => [
  ...[...get(local), 0x04, NOTHING],
  ...body,
  0x0b,
];

/** Goes through `count` elements: four at a time, then the last ones one by one; counts in `left`. */
export const everyElement = (count: Code, left: number, inFours: Code, oneByOne: Code): Code => [
  ...[...count, ...constant(2), ...shiftRight, ...set(left)],
  ...unlessZero(left, countDown(left, 1, inFours)),
  ...[...count, ...constant(3), ...and, ...set(left)],
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
    const code = [...list(locals.map(([n, type]) => [...unsigned(n), type])), ...body, 0x0b];
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
