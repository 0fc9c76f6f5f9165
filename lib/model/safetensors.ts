import { LetheError } from "../error.ts";

/** Element types that Lethe reads. It writes F32 and I32. */
export type WeightType = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "U8";

/** A tensor on the host. */
export interface Weight {
  /** As in the file; floating types are read as float32, integer types as int32. */
  readonly dtype: WeightType;
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

/** What a safetensors file holds. */
export interface SafetensorsFile {
  /** By name, in the order of their data. */
  readonly weights: Map<string, Weight>;
  /** The `__metadata__` strings. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The format's own limit for the header. */
const MAX_HEADER = 100 * 2 ** 20;
const MAX_RANK = 8;
const BYTES: Record<WeightType, number> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  U8: 1,
};

interface Entry {
  readonly name: string;
  readonly dtype: WeightType;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Parses a safetensors file as hostile input: every length and offset is held against the bytes that
 * are there before it is used, and tensors must cover the data without gaps or overlaps.
 *
 * @param file its name, for errors
 * @throws LetheError what is wrong with which tensor
 */
export function parseSafetensors(bytes: Uint8Array, file: string): SafetensorsFile {
  const { header, data } = splitFile(bytes, file);
  const metadata: Record<string, string> = {};
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") Object.assign(metadata, parseMetadata(value, file));
    else entries.push(parseEntry(name, value, file));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== at) {
      throw broken(
        `${file}: tensor ${name} begins at byte ${begin} where ${at} was due`,
        "tensors follow each other without gaps or overlaps",
      );
    }
    if (end > data.length) {
      throw broken(
        `${file}: tensor ${name} ends at byte ${end} of ${data.length}`,
        "tensors lie within the file",
      );
    }
    at = end;
  }
  if (at !== data.length) {
    throw broken(
      `${file}: tensors cover ${at} of ${data.length} data bytes`,
      "tensors cover the file to its end",
    );
  }
  const weights = new Map(entries.map(({ name, dtype, shape, begin, end }) => {
    const values = readValues(data.slice(begin, end), dtype, `${file}: tensor ${name}`);
    return [name, { dtype, shape, values }];
  }));
  return { weights, metadata };
}

function broken(value: string, rule: string): LetheError {
  return new LetheError(value, rule, "fetch or write the file again");
}

function splitFile(bytes: Uint8Array, file: string) {
  if (bytes.length < 8) {
    throw broken(`${file} has ${bytes.length} bytes`, "a safetensors file begins with 8 of length");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(Math.min(MAX_HEADER, bytes.length - 8))) {
    throw broken(
      `${file} announces a header of ${length} bytes and has ${bytes.length} in all`,
      `a header lies within the file and under ${MAX_HEADER} bytes`,
    );
  }
  const end = 8 + Number(length);
  let header: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, end));
    refuseRepeatedNames(text, file);
    header = JSON.parse(text);
  } catch (error) {
    if (error instanceof LetheError) throw error;
    throw broken(`${file} has a header that is not JSON`, "a safetensors header is a JSON object");
  }
  if (!isObject(header)) {
    throw broken(`${file} has a header that is not an object`, "it maps names to tensors");
  }
  return { header, data: bytes.subarray(end) };
}

/** JSON.parse keeps the last of two equal names; the format forbids them. */
function refuseRepeatedNames(text: string, file: string): void {
  const seen = new Set<string>();
  let depth = 0;
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g)) {
    if (match[0] === "{") depth++;
    else if (match[0] === "}") depth--;
    else if (depth === 1 && match[1] !== undefined) {
      const name = match[0];
      if (seen.has(name)) throw broken(`${file} names ${name} twice`, "a tensor has one entry");
      seen.add(name);
    }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseMetadata(value: unknown, file: string): Record<string, string> {
  if (isObject(value) && Object.values(value).every((text) => typeof text === "string")) {
    return value as Record<string, string>;
  }
  throw broken(`${file}: __metadata__ is not a map of strings`, "metadata are strings");
}

function parseEntry(name: string, value: unknown, file: string): Entry {
  const where = `${file}: tensor ${name}`;
  if (!isObject(value)) throw broken(`${where} is not an object`, "it has dtype, shape, offsets");
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(BYTES, dtype)) {
    throw broken(
      `${where} has dtype ${JSON.stringify(dtype)}`,
      `Lethe reads ${Object.keys(BYTES).join(", ")}`,
    );
  }
  if (!isCounts(shape) || shape.length > MAX_RANK) {
    throw broken(
      `${where} has shape ${JSON.stringify(shape)}`,
      `a shape is up to ${MAX_RANK} counts`,
    );
  }
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw broken(`${where} has offsets ${JSON.stringify(offsets)}`, "offsets are [begin, end]");
  }
  const needed = shape.reduce((product, n) => product * n, BYTES[dtype as WeightType]);
  if (needed !== offsets[1] - offsets[0]) {
    throw broken(
      `${where} of shape [${shape}] and dtype ${dtype} has ${offsets[1] - offsets[0]} bytes`,
      `it takes ${needed}`,
    );
  }
  return { name, dtype: dtype as WeightType, shape, begin: offsets[0], end: offsets[1] };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** @param bytes a copy of the tensor's own, so that any alignment can be read */
function readValues(bytes: Uint8Array, dtype: WeightType, where: string): Weight["values"] {
  const { buffer } = bytes;
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer);
    case "F64":
      return Float32Array.from(new Float64Array(buffer));
    case "F16":
      return Float32Array.from(new Uint16Array(buffer), halfToFloat);
    case "BF16":
      return new Float32Array(
        Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer,
      );
    case "I32":
      return new Int32Array(buffer);
    case "U8":
      return Int32Array.from(bytes);
    case "I64":
      return Int32Array.from(new BigInt64Array(buffer), (value) => {
        if (BigInt.asIntN(32, value) === value) return Number(value);
        throw broken(`${where} holds ${value}`, "Lethe reads integers of 32 bits");
      });
  }
}

function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * Writes tensors as safetensors: names in sorted order, so equal weights give equal bytes.
 *
 * @param weights float values as F32, integer values as I32
 * @param metadata strings for `__metadata__`; left out when empty
 */
export function encodeSafetensors(
  weights: ReadonlyMap<string, Weight>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const names = [...weights.keys()].sort();
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let at = 0;
  for (const name of names) {
    const { shape, values } = weights.get(name)!;
    const dtype = values instanceof Float32Array ? "F32" : "I32";
    header[name] = { dtype, shape, data_offsets: [at, at + values.byteLength] };
    at += values.byteLength;
  }
  const json = JSON.stringify(header);
  const encoded = new TextEncoder().encode(json);
  // The format asks for data at a multiple of eight: spaces pad the header.
  const length = Math.ceil(encoded.length / 8) * 8;
  const bytes = new Uint8Array(8 + length + at).fill(0x20, 8, 8 + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(encoded, 8);
  let offset = 8 + length;
  for (const name of names) {
    const { values } = weights.get(name)!;
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  return bytes;
}
