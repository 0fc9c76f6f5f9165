/** Opcodes by the WebAssembly specification's mnemonics: those that Lethe's modules use. */
const OPCODES = {
  "loop": 0x03,
  "if": 0x04,
  "end": 0x0b,
  "br_if": 0x0d,
  "local.get": 0x20,
  "local.set": 0x21,
  "local.tee": 0x22,
  "i32.const": 0x41,
  "f32.const": 0x43,
  "i32.add": 0x6a,
  "i32.mul": 0x6c,
  "i32.and": 0x71,
  "i32.shr_u": 0x76,
} as const;

/** SIMD opcodes, which follow the prefix 0xfd. */
const SIMD_OPCODES = {
  "v128.load": 0x00,
  "v128.load32_splat": 0x09,
  "v128.store": 0x0b,
  "v128.const": 0x0c,
  "i8x16.shuffle": 0x0d,
  "f32x4.splat": 0x13,
  "f32x4.lt": 0x43,
  "v128.bitselect": 0x52,
  "v128.store32_lane": 0x5a,
  "v128.load32_zero": 0x5c,
  "f32x4.nearest": 0x6a,
  "i32x4.shl": 0xab,
  "i32x4.add": 0xae,
  "f32x4.abs": 0xe0,
  "f32x4.sqrt": 0xe3,
  "f32x4.add": 0xe4,
  "f32x4.sub": 0xe5,
  "f32x4.mul": 0xe6,
  "f32x4.div": 0xe7,
  "f32x4.min": 0xe8,
  "f32x4.max": 0xe9,
  "i32x4.trunc_sat_f32x4_s": 0xf8,
} as const;

/** Bytes of instructions. */
export type Code = readonly number[];

/** LEB128, as all numbers in a module are written. */
export function unsigned(value: number): number[] {
  return value < 128 ? [value] : [value & 127 | 128, ...unsigned(value >>> 7)];
}

/** An instruction and its immediate bytes. */
export const instruction = (name: keyof typeof OPCODES, ...rest: readonly number[]): Code => [
  OPCODES[name],
  ...rest,
];

/** A SIMD instruction and its immediate bytes. */
export const simd = (name: keyof typeof SIMD_OPCODES, ...rest: readonly number[]): Code => [
  0xfd,
  ...unsigned(SIMD_OPCODES[name]),
  ...rest,
];
