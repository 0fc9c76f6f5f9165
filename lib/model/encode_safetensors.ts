import { LetheError } from "../error.ts";
import { shown } from "../files/json_fields.ts";
import { METADATA, type SafetensorsFile, type Weight } from "./safetensors.ts";

/**
 * Refuses a file that is not as {@link encodeSafetensors} writes it: other metadata than those that are
 * due, tensors of another type or order, spaces. A kit or model that is passed around has one encoding,
 * so that nothing but its weights can travel in it.
 *
 * @param bytes the whole file, and what `parseSafetensors` found in it
 * @param due names that `__metadata__` may hold
 * @throws {LetheError} naming what is there beyond the weights
 */
export function requireCanonical(
  bytes: Uint8Array,
  { weights, metadata }: SafetensorsFile,
  file: string,
  due: readonly string[] = [],
): void {
  const remedy = "write the model anew with `deno task import`, which takes its weights alone";
  const extra = Object.keys(metadata).find((name) => !due.includes(name));
  if (extra !== undefined) {
    throw new LetheError(
      `${file}: ${METADATA} has ${shown(extra)}`,
      due.length === 0 ? "it holds tensors and nothing else" : `it may hold ${due.join(", ")}`,
      remedy,
    );
  }
  const { head } = safetensorsHead(weights, metadata);
  if (head.every((byte, i) => byte === bytes[i])) return;
  throw new LetheError(
    `${file} has a header that Lethe would not write`,
    "tensors are float32 in the order of their names, without further spaces or fields",
    remedy,
  );
}

/** What precedes the data. */
export interface SafetensorsHead {
  readonly head: Uint8Array<ArrayBuffer>;
  /** The tensors' names, in the order of their data. */
  readonly names: readonly string[];
  /** Where each begins, bytes after the head. */
  readonly begins: ReadonlyMap<string, number>;
  readonly dataBytes: number;
}

/** The head of a file with these tensors. */
export function safetensorsHead(
  weights: ReadonlyMap<string, Weight>,
  metadata: Readonly<Record<string, string>>,
): SafetensorsHead {
  const tensors = [...weights].map(([name, { shape, values }]) => {
    if (shape.reduce((product, n) => product * n, 1) !== values.length) {
      throw new RangeError(`${name} of shape [${shape}] has ${values.length} values`);
    }
    return [name, { dtype: values instanceof Float32Array ? "F32" : "I32", shape }] as const;
  });
  return headOfShapes(new Map(tensors), metadata);
}

/** The head of a file whose tensors are not there yet. */
export function headOfShapes(
  tensors: ReadonlyMap<
    string,
    { readonly dtype: "F32" | "I32"; readonly shape: readonly number[] }
  >,
  metadata: Readonly<Record<string, string>>,
): SafetensorsHead {
  // The header is joined from text: as an object it would lose a tensor called __proto__.
  const fields: string[] = [];
  if (Object.keys(metadata).length > 0) {
    fields.push(`${JSON.stringify(METADATA)}:${JSON.stringify(metadata)}`);
  }
  const names = [...tensors.keys()].sort();
  const begins = new Map<string, number>();
  let at = 0;
  for (const name of names) {
    const { dtype, shape } = tensors.get(name)!;
    if (name === METADATA) throw new RangeError(`a tensor cannot be called ${METADATA}`);
    const bytes = shape.reduce((product, n) => product * n, 4);
    const entry = { dtype, shape, data_offsets: [at, at + bytes] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    begins.set(name, at);
    at += bytes;
  }
  const header = new TextEncoder().encode(`{${fields.join(",")}}`);
  const length = Math.ceil(header.length / 8) * 8;
  const head = new Uint8Array(8 + length);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(header, 8);
  head.fill(0x20, 8 + header.length); // spaces, as the format asks
  return { head, names, begins, dataBytes: at };
}

/** A tensor's bytes as they lie in the file. */
export function weightBytes({ values }: Weight): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
}

/**
 * Writes tensors as safetensors: names in sorted order and data at a multiple of eight bytes, so equal
 * weights give equal bytes.
 *
 * @param weights float values become F32, integer values I32
 * @param metadata strings for `__metadata__`; left out when empty
 * @throws {RangeError} when values and shape differ in size, or a tensor is called `__metadata__`
 */
export function encodeSafetensors(
  weights: ReadonlyMap<string, Weight>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const { head, names, dataBytes } = safetensorsHead(weights, metadata);
  const bytes = new Uint8Array(head.length + dataBytes);
  bytes.set(head);
  let offset = head.length;
  for (const name of names) {
    const part = weightBytes(weights.get(name)!);
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
