/** What there is to tell apart. */
export const KINDS = [
  "data set",
  "requests",
  "split",
  "model",
  "kit",
  "output folder",
  "receipt",
  "pack",
  "receipt of a model or kit",
  "uses of a kit",
  "ledger",
  "benchmark grid",
  "bundle",
  "page",
  "public key",
  "signing key",
  "identity key",
  "fold models",
  "stored updates",
  "state of a stopped run",
  "split index",
  "decoded images",
  "unfinished output",
  "claim",
  "drawing",
  "ONNX model",
  "weights",
  "photograph",
  "hashes",
  "evidence",
  "figures",
  "benchmark results",
  "part of a model",
  "part of a kit",
  "part of an output folder",
  "part of a benchmark",
] as const;

/** What `inspect` says of something. */
export interface Inspected {
  readonly kind: typeof KINDS[number];
  readonly path: string;
  /** One fact per row, for people. */
  readonly rows: readonly (readonly [fact: string, value: string])[];
  /** What needs attention, each a line. */
  readonly notes: readonly string[];
  /** The same facts and more, as `--json` prints them. */
  readonly value: Readonly<Record<string, unknown>>;
}

/** 1 person, 2 people: a count with its noun. */
export function counted(count: number, one: string, many: string): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

/** Bytes for people. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const units = ["kB", "MB", "GB", "TB"];
  let [value, unit] = [bytes / 1000, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** A fraction for people. */
export function share(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}

/** The first of many, and how many there are. */
export function some(names: readonly string[], most = 5): string {
  const rest = names.length - most;
  return names.slice(0, most).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
