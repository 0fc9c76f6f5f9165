import { addFours, type Code, constant, multiplyFours, simd } from "./assembler.ts";
import type { FormulaParts } from "./element_loop.ts";

/** Arithmetic on four float32 at a time: code that leaves its result on the stack. */

const two = (instruction: Code) => (a: Code, b: Code): Code => [...a, ...b, ...instruction];
const one = (instruction: Code) => (a: Code): Code => [...a, ...instruction];

export const plus = two(addFours);
export const minus = two(simd(229));
export const times = two(multiplyFours);
export const over = two(simd(231));
/** NaN where either is. */
export const smaller = two(simd(232));
/** NaN where either is. */
export const larger = two(simd(233));
export const absolute = one(simd(224));
export const squareRoot = one(simd(227));
const nearest = one(simd(106));
const integers = one(simd(248));
const plusIntegers = two(simd(174));

/** yes where a < b, else no; no where either is NaN. */
export const whereLess = (a: Code, b: Code, yes: Code, no: Code): Code => [
  ...yes,
  ...no,
  ...[...a, ...b, ...simd(67)],
  ...simd(82),
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
  // 2^n: n + 127 lies where a float32 has its exponent.
  const exponent = plusIntegers(integers(n), integers(number(127)));
  const power = [...exponent, ...constant(23), ...simd(171)];
  return times(series, power);
}
