import { LetheError } from "../error.ts";
import { JsonFields, parseJsonObject, shown } from "../files/json_fields.ts";
import * as is from "../files/json_kinds.ts";

/** Element types that Lethe reads. It writes F32 and I32. */
export type WeightType = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "U8";

/** Bytes of one element. */
const ELEMENT_BYTES: Readonly<Record<WeightType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  U8: 1,
};

/** A tensor on the host. */
export interface Weight {
  /** As in the file; floating types are read as float32, integer types as int32. */
  readonly dtype: WeightType;
  /** Of the network. */
  readonly shape: readonly number[];
  /** Row after row: as many as the product of `shape`. */
  readonly values: Float32Array | Int32Array;
}

/** What a safetensors file holds. */
export interface SafetensorsFile {
  /** By name, in the order of their data. */
  readonly weights: Map<string, Weight>;
  /** The `__metadata__` strings. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The format's own limit for the header, bytes. */
const MAX_HEADER = 100 * 2 ** 20;
const MAX_RANK = 8;
/** The field of the header that is no tensor. */
export const METADATA = "__metadata__";
const DAMAGED = "fetch the file again, or write it again with safetensors";

/** A tensor as the header announces it: bytes [begin, end) of the data. */
export interface Entry {
  readonly name: string;
  readonly dtype: WeightType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Parses a safetensors file as hostile input: every length and offset is held against the bytes that
 * are there before it is used, and tensors must cover the data without gaps or overlaps.
 *
 * @param bytes the whole file; float32 and int32 values share its memory where they are aligned
 * @param file its name, for errors
 * @throws {LetheError} naming what is wrong with which tensor
 */
export function parseSafetensors(bytes: Uint8Array, file: string): SafetensorsFile {
  const { entries, metadata, begin } = readSafetensorsHead(
    bytes.length,
    (from, into) => into.set(bytes.subarray(from, from + into.length)),
    file,
  );
  const data = bytes.subarray(begin);
  const weights = new Map(entries.map(({ name, dtype, shape, begin, end }) => {
    const part = data.subarray(begin, end);
    // Typed arrays need an alignment that a file does not promise; files that Lethe wrote have it.
    const aligned = part.byteOffset % 8 === 0 || dtype === "F32" && part.byteOffset % 4 === 0;
    const values = readValues(
      aligned ? part : new Uint8Array(part),
      dtype,
      tensorOf(file, name),
    );
    return [name, { dtype, shape, values }];
  }));
  return { weights, metadata };
}

/**
 * What {@link parseSafetensors} reads first, held against the file's size likewise.
 *
 * @param size of the whole file, bytes
 * @param read fills an array with the file's bytes from a place on
 * @returns the tensors in the order of their data, which begins at `begin`
 */
export function readSafetensorsHead(
  size: number,
  read: (from: number, into: Uint8Array) => void,
  file: string,
): Pick<SafetensorsFile, "metadata"> & { entries: readonly Entry[]; begin: number } {
  const { header, begin } = readHeader(size, read, file);
  const metadata = Object.hasOwn(header, METADATA) ? parseMetadata(header[METADATA], file) : {};
  const entries = Object.entries(header).filter(([name]) => name !== METADATA)
    .map(([name, value]) => parseEntry(name, value, file))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCover(entries, size - begin, file);
  return { entries, metadata, begin };
}

function readHeader(
  size: number,
  read: (from: number, into: Uint8Array) => void,
  file: string,
) {
  if (size < 8) {
    throw new LetheError(
      `${file} has ${size} bytes`,
      "a safetensors file begins with 8 bytes that hold its header's length",
      DAMAGED,
    );
  }
  const first = new Uint8Array(8);
  read(0, first);
  const length = new DataView(first.buffer).getBigUint64(0, true);
  const most = Math.min(MAX_HEADER, size - 8);
  if (length > BigInt(most)) {
    throw new LetheError(
      `${file} announces a header of ${length} bytes`,
      `at most ${most} can follow in a file of ${size} bytes`,
      DAMAGED,
    );
  }
  const bytes = new Uint8Array(Number(length));
  read(8, bytes);
  let text: string;
  try {
    // A byte order mark is kept, so that it is refused as the JSON error it is.
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    text = decoder.decode(bytes);
  } catch (cause) {
    throw new LetheError(`${file} has a header that is not UTF-8`, "it is JSON", DAMAGED, {
      cause,
    });
  }
  return {
    header: parseJsonObject(text, `the header of ${file}`, DAMAGED),
    begin: 8 + bytes.length,
  };
}

function parseMetadata(value: unknown, file: string): Record<string, string> {
  if (is.OBJECT.accepts(value) && Object.values(value).every((text) => typeof text === "string")) {
    return value as Record<string, string>;
  }
  throw new LetheError(`${file}: ${METADATA} is ${shown(value)}`, "it maps names to text", DAMAGED);
}

function tensorOf(file: string, name: string): string {
  return `${file}: tensor ${shown(name)}`;
}

const COUNT = is.integer(0, Number.MAX_SAFE_INTEGER);

function parseEntry(name: string, value: unknown, file: string): Entry {
  const where = tensorOf(file, name);
  if (!is.OBJECT.accepts(value)) {
    throw new LetheError(`${where} is ${shown(value)}`, "it is an object", DAMAGED);
  }
  const types = Object.keys(ELEMENT_BYTES) as WeightType[];
  const dtype = new JsonFields(value, where, "convert the file to one of those types")
    .read("dtype", is.oneOf(types));
  const fields = new JsonFields(value, where, DAMAGED);
  const shape = fields.read("shape", is.list(COUNT, 0, MAX_RANK));
  const [begin, end] = fields.read("data_offsets", is.list(COUNT, 2, 2));
  // In doubles: a product past 2^53 is inexact, but then larger than any offset.
  const needed = shape.reduce((product, n) => product * n, ELEMENT_BYTES[dtype]);
  if (end - begin !== needed) {
    fields.refuse(
      `its data_offsets [${begin}, ${end}] span ${end - begin} bytes`,
      `shape [${shape}] of ${dtype} takes ${needed}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

/** @param entries by their beginning */
function checkCover(entries: readonly Entry[], dataBytes: number, file: string): void {
  let [at, before] = [0, "the header"];
  for (const { name, begin, end } of entries) {
    const where = tensorOf(file, name);
    if (begin !== at) {
      throw new LetheError(
        `${where} begins at data byte ${begin}, ${before} ends at ${at}`,
        `tensors follow each other without ${begin < at ? "overlaps" : "gaps"}`,
        DAMAGED,
      );
    }
    if (end > dataBytes) {
      throw new LetheError(
        `${where} ends at data byte ${end}`,
        `the file has ${dataBytes} bytes of data`,
        DAMAGED,
      );
    }
    [at, before] = [end, `tensor ${shown(name)}`];
  }
  if (at === dataBytes) return;
  throw new LetheError(
    `${file} has ${dataBytes} bytes of data`,
    `its tensors cover ${at} of them, and nothing else may lie there`,
    DAMAGED,
  );
}

/** @param bytes the tensor's and no others, aligned; a multiple of the element's */
function readValues(bytes: Uint8Array, dtype: WeightType, where: string): Weight["values"] {
  const { buffer, byteOffset: from } = bytes;
  const count = bytes.length / ELEMENT_BYTES[dtype];
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer, from, count);
    case "F64":
      return Float32Array.from(new Float64Array(buffer, from, count));
    case "F16":
      return Float32Array.from(new Uint16Array(buffer, from, count), halfToFloat);
    case "BF16": {
      const bits = Uint32Array.from(new Uint16Array(buffer, from, count), (half) => half << 16);
      return new Float32Array(bits.buffer);
    }
    case "I32":
      return new Int32Array(buffer, from, count);
    case "U8":
      return Int32Array.from(bytes);
    case "I64":
      return Int32Array.from(new BigInt64Array(buffer, from, count), (value) => {
        if (BigInt.asIntN(32, value) === value) return Number(value);
        throw new LetheError(
          `${where} holds ${value}`,
          "Lethe reads integers of 32 bits",
          "remove that tensor from the file",
        );
      });
  }
}

/** IEEE 754 binary16 to a number, exactly. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
