import { LetheError } from "../../error.ts";
import { encodeSafetensors } from "../encode_safetensors.ts";
import { parseSafetensors, type Weight } from "../safetensors.ts";

/** A tensor of a row: whole, or as left rightT. */
export type RowTensor =
  | { readonly whole: Float32Array }
  /** left [out, rank], right [in, rank], row after row. */
  | { readonly left: Float32Array; readonly right: Float32Array };

/** What a kit holds of one person. */
export interface MemoryRow {
  /** What theta loses when the person is forgotten, by the names of theta. */
  readonly step: ReadonlyMap<string, RowTensor>;
  /** Mean feature of the person's training images, [dim]. */
  readonly centroid: Float32Array;
}

const CENTROID = "centroid";
const PARTS = ["whole", "left", "right"] as const;

/**
 * A row as a safetensors file: halves (11 significant bits) of each tensor over its own largest magnitude,
 * and that magnitude as a float32, so that small numbers lose no more than large ones. All people's files
 * of a kit are of one size.
 */
export function encodeRow({ step, centroid }: MemoryRow): Uint8Array<ArrayBuffer> {
  const weights = new Map<string, Weight>();
  const put = (name: string, values: Float32Array) => {
    // By index: an iterator takes ten times as long, and a kit has millions of these for each person.
    let most = 0;
    for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
    const halves = new Float16Array(values.length + values.length % 2);
    if (most > 0) { for (let i = 0; i < values.length; i++) halves[i] = values[i] / most; }
    const pairs = new Int32Array(halves.buffer);
    weights.set(name, { dtype: "I32", shape: [pairs.length], values: pairs });
    weights.set(`${name}.scale`, { dtype: "F32", shape: [], values: Float32Array.of(most) });
  };
  for (const [name, tensor] of step) {
    for (const [part, values] of Object.entries(tensor)) put(`${part}/${name}`, values);
  }
  put(CENTROID, centroid);
  return encodeSafetensors(weights);
}

/**
 * Reads what {@link encodeRow} wrote, as hostile input.
 *
 * @param shapes names and shapes of theta
 * @param rank of its low-rank tensors, matrices all; null where all are whole
 * @param dim length of the centroid
 * @throws {LetheError} a tensor is missing, of another size, one too many, or no finite number
 */
export function decodeRow(
  bytes: Uint8Array,
  shapes: ReadonlyMap<string, readonly number[]>,
  rank: number | null,
  dim: number,
  file: string,
): MemoryRow {
  const { weights } = parseSafetensors(bytes, file);
  const take = (name: string, length: number): Float32Array => {
    const [values, scale] = [weights.get(name), weights.get(`${name}.scale`)];
    weights.delete(name);
    weights.delete(`${name}.scale`);
    const pairs = values?.values;
    const most = scale?.values[0];
    const whole = pairs instanceof Int32Array && pairs.length === Math.ceil(length / 2) &&
      scale!.values.length === 1 && Number.isFinite(most);
    if (!whole) throw damaged(`${file}: tensor ${name}`, `${length} halves and a scale are due`);
    const halves = new Float16Array(pairs.buffer, pairs.byteOffset, length);
    const read = new Float32Array(length);
    let finite = true;
    for (let i = 0; i < length; i++) {
      read[i] = halves[i] * most!;
      finite &&= Number.isFinite(read[i]);
    }
    if (finite) return read;
    throw damaged(`${file}: tensor ${name} holds what is no number`, "rows are finite");
  };
  const step = new Map<string, RowTensor>();
  for (const [name, shape] of shapes) {
    const size = shape.reduce((product, n) => product * n, 1);
    const low = rank !== null && isLowRank(name, shape);
    step.set(
      name,
      low
        ? {
          left: take(`${PARTS[1]}/${name}`, shape[0] * rank),
          right: take(`${PARTS[2]}/${name}`, size / shape[0] * rank),
        }
        : { whole: take(`${PARTS[0]}/${name}`, size) },
    );
  }
  const centroid = take(CENTROID, dim);
  if (weights.size === 0) return { step, centroid };
  throw damaged(
    `${file} has a tensor ${[...weights.keys()][0]}`,
    "the kit's settings call for none",
  );
}

/** Whether a tensor of theta is kept at a rank: the weights of linear layers and the patch embedding. */
export function isLowRank(name: string, shape: readonly number[]): boolean {
  return name.endsWith(".weight") && shape.length > 1;
}

/** Bytes of one person's row before sealing, from shapes alone: numbers only, without the header. */
export function rowBytes(
  shapes: ReadonlyMap<string, readonly number[]>,
  rank: number | null,
  dim: number,
): number {
  let numbers = dim;
  for (const [name, shape] of shapes) {
    const size = shape.reduce((product, n) => product * n, 1);
    numbers += rank !== null && isLowRank(name, shape) ? rank * (shape[0] + size / shape[0]) : size;
  }
  return 2 * numbers;
}

function damaged(value: string, rule: string): LetheError {
  return new LetheError(value, rule, "use the kit as meta-learn wrote it");
}
