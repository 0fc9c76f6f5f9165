/**
 * WGSL for halves that lie in pairs in i32 words. They are packed and unpacked by core functions:
 * `f16` itself (the feature `shader-f16`) would add nothing where sums are float32, since the
 * product of two halves is exact in float32, and it would shut out the adapters that lack it.
 *
 * What is finite stays finite: beyond the largest half it saturates.
 */
export const HALF_FUNCTIONS = `
fn pairOf(x : vec2<f32>) -> i32 {
  let finite = abs(x) <= vec2<f32>(3.4028234e38);
  let within = select(x, clamp(x, vec2<f32>(-65504.0), vec2<f32>(65504.0)), finite);
  return bitcast<i32>(pack2x16float(within));
}
fn halfOf(pair : i32, i : i32) -> f32 {
  return unpack2x16float(bitcast<u32>(pair) >> (16u * u32(i & 1))).x;
}
fn fourOf(pairs : vec2<i32>) -> vec4<f32> {
  return vec4<f32>(unpack2x16float(bitcast<u32>(pairs.x)), unpack2x16float(bitcast<u32>(pairs.y)));
}
`;

/**
 * WGSL for what a buffer holds from an index on.
 *
 * @param index of the first number; a multiple of `width`
 * @param half whether the buffer holds pairs of halves ({@link HALF_FUNCTIONS} must stand before)
 */
export function read(name: string, index: string, width: 1 | 4, half: boolean): string {
  if (width === 4) return half ? `fourOf(${name}[(${index}) >> 2u])` : `${name}[(${index}) >> 2u]`;
  return half ? `halfOf(${name}[(${index}) >> 1u], ${index})` : `${name}[${index}]`;
}

/** 32-bit words per element of a buffer that is read `width` numbers at a time. */
export function wordsOf(width: 1 | 4, half: boolean): 1 | 2 | 4 {
  return half && width === 4 ? 2 : width;
}
