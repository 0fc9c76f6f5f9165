import { addFours, type Code, constant, multiplyFours, simd } from "./assembler.ts";
import type { FormulaParts } from "./element_loop.ts";

/** Arithmetic on four float32 at a time: code that leaves its result on the stack. */

const two = (instruction: Code) => (a: Code, b: Code): Code => [...a, ...b, ...instruction];
const one = (instruction: Code) => (a: Code): Code => [...a, ...instruction];

export const plus = two(addFours);
export const minus = two(simd("f32x4.sub"));
export const times = two(multiplyFours);
export const over = two(simd("f32x4.div"));
/** NaN where either is. */
export const smaller = two(simd("f32x4.min"));
/** NaN where either is. */
export const larger = two(simd("f32x4.max"));
export const absolute = one(simd("f32x4.abs"));
export const squareRoot = one(simd("f32x4.sqrt"));
const nearest = one(simd("f32x4.nearest"));
const integers = one(simd("i32x4.trunc_sat_f32x4_s"));
const plusIntegers = two(simd("i32x4.add"));

/** `yes` in lanes where a < b, `no` in all others, those with a NaN included. */
export const whereLess = (a: Code, b: Code, yes: Code, no: Code): Code => [
  ...yes,
  ...no,
  ...[...a, ...b, ...simd("f32x4.lt")],
  ...simd("v128.bitselect"),
];

/** c0 + x (c1 + x (c2 + ...)). */
export function polynomial(x: Code, coefficients: readonly number[], parts: FormulaParts): Code {
  const [first, ...others] = coefficients;
  const constant = parts.number(first);
  if (others.length === 0) return constant;
  return plus(constant, times(x, polynomial(x, others, parts)));
}

/**
 * exp(x) for -87 <= x <= 87, to 2e-7 of itself: 2^n times a Taylor series of degree six, with ln 2 in
 * two parts, so that n ln 2 is exact.
 */
export function exponential(x: Code, parts: FormulaParts): Code {
  const { keep, number } = parts;
  const n = keep(nearest(times(x, number(Math.LOG2E))));
  const coarse = minus(x, times(n, number(0.693359375)));
  const rest = keep(minus(coarse, times(n, number(Math.LN2 - 0.693359375))));
  const series = polynomial(rest, [1, 1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720], parts);
  // 2^n is made of bits: a float32 keeps n + 127 in the bits from the 23rd up.
  const exponent = plusIntegers(integers(n), integers(number(127)));
  const power = [...exponent, ...constant(23), ...simd("i32x4.shl")];
  return times(series, power);
}
