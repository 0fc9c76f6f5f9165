import { assert, assertEquals, assertThrows } from "@std/assert";
import { LetheError } from "../../lib/error.ts";
import { encodeSafetensors } from "../../lib/model/encode_safetensors.ts";
import { parseSafetensors, type Weight } from "../../lib/model/safetensors.ts";

/** A file of this header and these data bytes; `announced` is the header's length as the file has it. */
function file(header: unknown, data: ArrayLike<number> = [], announced?: bigint): Uint8Array {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const encoded = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + encoded.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, announced ?? BigInt(encoded.length), true);
  bytes.set(encoded, 8);
  bytes.set(data, 8 + encoded.length);
  return bytes;
}

function bytesOf(values: { buffer: ArrayBufferLike }): Uint8Array {
  return new Uint8Array(values.buffer);
}

/** The only tensor of a file that holds one. */
function tensor(dtype: string, shape: number[], data: Uint8Array): Weight {
  const entry = { dtype, shape, data_offsets: [0, data.length] };
  return parseSafetensors(file({ a: entry }, data), "f").weights.get("a")!;
}

function float(shape: number[], values: number[]): Weight {
  return { dtype: "F32", shape, values: Float32Array.from(values) };
}

Deno.test("parseSafetensors reads float types as float32", () => {
  const expected = [1, -2.5, 0.15625, -0];
  const f64 = tensor("F64", [4], bytesOf(Float64Array.from(expected)));
  const f32 = tensor("F32", [2, 2], bytesOf(Float32Array.from(expected)));
  const f16 = tensor("F16", [4], bytesOf(Uint16Array.of(0x3c00, 0xc100, 0x3100, 0x8000)));
  const bf16 = tensor("BF16", [4], bytesOf(Uint16Array.of(0x3f80, 0xc020, 0x3e20, 0x8000)));
  for (const { values } of [f64, f32, f16, bf16]) {
    assertEquals(values, Float32Array.from(expected));
    assert(Object.is(values[3], -0));
  }
  assertEquals(f32.shape, [2, 2]);
});

Deno.test("parseSafetensors reads half floats at their limits exactly", () => {
  const bits = Uint16Array.of(0x0001, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0xfc00, 0x7e00);
  const { values } = tensor("F16", [7], bytesOf(bits));
  assertEquals([...values], [
    2 ** -24,
    1023 * 2 ** -24,
    2 ** -14,
    65504,
    Infinity,
    -Infinity,
    NaN,
  ]);
});

Deno.test("parseSafetensors reads integers as int32 and refuses those that do not fit", () => {
  assertEquals(tensor("I32", [2], bytesOf(Int32Array.of(-1, 7))).values, Int32Array.of(-1, 7));
  assertEquals(tensor("U8", [2], Uint8Array.of(0, 255)).values, Int32Array.of(0, 255));
  const limits = BigInt64Array.of(-(2n ** 31n), 2n ** 31n - 1n);
  assertEquals(
    tensor("I64", [2], bytesOf(limits)).values,
    Int32Array.of(-(2 ** 31), 2 ** 31 - 1),
  );
  assertThrows(
    () => tensor("I64", [1], bytesOf(BigInt64Array.of(2n ** 31n))),
    LetheError,
    'f: tensor "a" holds 2147483648; Lethe reads integers of 32 bits: ',
  );
});

Deno.test("parseSafetensors reads data at any alignment, whatever the entries' order", () => {
  const data = new Uint8Array(5);
  data[0] = 9;
  new DataView(data.buffer).setFloat32(1, 1.5, true);
  const header = {
    late: { dtype: "F32", shape: [], data_offsets: [1, 5] },
    early: { dtype: "U8", shape: [1], data_offsets: [0, 1] },
    none: { dtype: "F32", shape: [0, 3], data_offsets: [1, 1] },
  };
  const { weights } = parseSafetensors(file(header, data), "f");
  assertEquals([...weights.keys()], ["early", "none", "late"]);
  assertEquals(weights.get("late")!.values, Float32Array.of(1.5));
  assertEquals(weights.get("none")!.values.length, 0);
});

Deno.test("encodeSafetensors gives bytes that parseSafetensors reads back", () => {
  const weights = new Map<string, Weight>([
    ["z", float([2, 3], [1, 2, 3, 4, 5, 6])],
    ["__proto__", float([], [-0.1])],
    ["10", { dtype: "I32", shape: [1], values: Int32Array.of(-3) }],
    ["empty", float([0], [])],
    ['quoted "é" \n', float([1], [NaN])],
  ]);
  const metadata = { format: "pt", note: 'a "quoted" line' };
  const bytes = encodeSafetensors(weights, metadata);
  const read = parseSafetensors(bytes, "f");
  assertEquals(new Map([...read.weights].sort()), new Map([...weights].sort()));
  assertEquals(read.metadata, metadata);
  const headerLength = new DataView(bytes.buffer).getBigUint64(0, true);
  assertEquals(headerLength % 8n, 0n, "data begin at a multiple of eight bytes");
});

Deno.test("encodeSafetensors gives equal bytes for equal weights in any order", () => {
  const [a, b] = [float([1], [1]), float([2], [2, 3])];
  assertEquals(
    encodeSafetensors(new Map([["a", a], ["b", b]])),
    encodeSafetensors(new Map([["b", b], ["a", a]])),
  );
});

Deno.test("encodeSafetensors refuses what it could not write truly", () => {
  assertThrows(() => encodeSafetensors(new Map([["a", float([3], [1, 2])]])), RangeError, "[3]");
  assertThrows(() => encodeSafetensors(new Map([["__metadata__", float([], [1])]])), RangeError);
});

/** A tensor `a` of two float32, with some fields changed. */
function entry(changes: Record<string, unknown>): Record<string, unknown> {
  return { dtype: "F32", shape: [2], data_offsets: [0, 8], ...changes };
}

const eight = new Uint8Array(8);
const two = (second: number[]) => ({
  a: entry({}),
  b: entry({ data_offsets: second }),
});
/** Broken files and what their one-line errors say. */
const BROKEN: [string, Uint8Array, string][] = [
  ["no bytes", new Uint8Array(0), "f has 0 bytes; "],
  ["seven bytes", new Uint8Array(7), "f has 7 bytes; "],
  [
    "a header longer than the file",
    file("{}", [], 3n),
    "announces a header of 3 bytes; at most 2 ",
  ],
  [
    "a header of 2^60 bytes",
    file("{}", [], 2n ** 60n),
    "announces a header of 1152921504606846976 ",
  ],
  ["a header of 2^64 - 1 bytes", file("{}", [], 2n ** 64n - 1n), "announces a header of 18446744"],
  ["a header that is cut off", file('{"a":', []), "the header of f is not JSON; "],
  ["a byte order mark", file("\ufeff{}", []), "the header of f is not JSON; "],
  ["a header that is not UTF-8", file('{"\udfff":1}', []).fill(0xff, 10, 11), "is not UTF-8; "],
  ["a list for a header", file("[1]"), "the header of f holds [1]; "],
  ["a name that comes twice", file('{"a":{},"a":{}}'), 'the header of f names "a" twice; '],
  ["a name that comes twice, escaped", file('{"a":{},"\\u0061" :{}}'), 'names "a" twice; '],
  [
    "a field that comes twice",
    file('{"a":{"dtype":"F32","shape":[2],"shape":[1],"data_offsets":[0,4]}}', [0, 0, 0, 0]),
    'names "shape" twice; ',
  ],
  ["metadata that are not text", file({ __metadata__: { a: 1 } }), '__metadata__ is {"a":1}; '],
  ["a tensor that is a number", file({ a: 3 }), 'tensor "a" is 3; '],
  ["a missing dtype", file({ a: entry({ dtype: undefined }) }, eight), "dtype is missing; "],
  [
    "an unknown dtype",
    file({ a: entry({ dtype: "F8_E4M3" }) }, eight),
    'dtype is "F8_E4M3"; it is one',
  ],
  [
    "a dtype of the prototype",
    file({ a: entry({ dtype: "toString" }) }, eight),
    "it is one of F64,",
  ],
  ["a shape that is a number", file({ a: entry({ shape: 2 }) }, eight), "shape is 2; "],
  ["a negative size", file({ a: entry({ shape: [-2] }) }, eight), "shape is [-2]; "],
  ["half a size", file({ a: entry({ shape: [0.5, 4] }) }, eight), "shape is [0.5,4]; "],
  [
    "a huge rank",
    file({ a: entry({ shape: new Array(9).fill(1) }) }, eight),
    "list of 0 to 8 elements",
  ],
  [
    "a product past 2^64",
    file({ a: entry({ shape: [2 ** 33, 2 ** 33] }) }, eight),
    "span 8 bytes; shape [8589934592,8589934592] of F32 takes ",
  ],
  [
    "a huge product that a zero makes nothing",
    file({ a: entry({ shape: [...new Array(7).fill(2 ** 52), 0] }) }, eight),
    "takes 0: ",
  ],
  [
    "offsets of one element",
    file({ a: entry({ data_offsets: [8] }) }, eight),
    "data_offsets is [8]; ",
  ],
  [
    "a negative offset",
    file({ a: entry({ data_offsets: [-8, 0] }) }, eight),
    "data_offsets is [-8,0]; ",
  ],
  ["offsets in reverse", file({ a: entry({ data_offsets: [8, 0] }) }, eight), "span -8 bytes; "],
  ["a shape that needs more bytes", file({ a: entry({ shape: [3] }) }, eight), "of F32 takes 12: "],
  [
    "a type that needs fewer bytes",
    file({ a: entry({ dtype: "BF16" }) }, eight),
    "of BF16 takes 4: ",
  ],
  [
    "data that are cut off",
    file({ a: entry({}) }, eight.subarray(1)),
    "ends at data byte 8; the file has 7",
  ],
  [
    "offsets past the end",
    file({ a: entry({ data_offsets: [2 ** 52, 2 ** 52 + 8] }) }, eight),
    "begins at data byte 4503599627370496, the header ends at 0; tensors follow each other without gaps",
  ],
  [
    "tensors that overlap",
    file(two([4, 12]), new Uint8Array(12)),
    'tensor "b" begins at data byte 4, tensor "a" ends at 8; tensors follow each other without overlaps',
  ],
  ["tensors that coincide", file(two([0, 8]), eight), "without overlaps"],
  ["a gap between tensors", file(two([9, 17]), new Uint8Array(17)), "without gaps"],
  ["bytes after the last tensor", file({ a: entry({}) }, new Uint8Array(9)), "cover 8 of them"],
  ["data without tensors", file({}, [1]), "cover 0 of them"],
];

for (const [what, bytes, message] of BROKEN) {
  Deno.test(`parseSafetensors refuses ${what}`, () => {
    const error = assertThrows(() => parseSafetensors(bytes, "f"), LetheError, message);
    assert(error.message.startsWith("f") || error.message.startsWith("the header of f"));
  });
}

Deno.test("parseSafetensors keeps its error on one short line whatever a tensor is called", () => {
  const header = { ["\n\u001b[31m\u009b31m\u202e" + "x".repeat(100_000)]: 1 };
  const error = assertThrows(() => parseSafetensors(file(header), "f"), LetheError);
  assert(error.message.length < 300 && !/[\p{Cc}\p{Cf}]/u.test(error.message));
});
