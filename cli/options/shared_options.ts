import { DATASET_NAMES } from "../../lib/data/sample.ts";
import {
  DEVICE_CHOICES,
  type DeviceChoice,
  type Precision,
  PRECISION_CHOICES,
} from "../../lib/tensor/choices.ts";
import type { Device } from "../../lib/tensor/device.ts";
import type { Terminal } from "../output/terminal.ts";

/** `--device`, wherever tensors are computed. */
export const DEVICE = {
  kind: "choice",
  of: DEVICE_CHOICES,
  default: "auto",
  help: "WebGPU where there is an adapter, else WASM",
} as const;

/** `--precision`. */
export const PRECISION = {
  kind: "choice",
  of: PRECISION_CHOICES,
  default: "float32",
  help: "half: products of half-precision numbers, float32 sums; smaller, less exact; WebGPU only",
} as const;

/** `--seed`. */
export const SEED = {
  kind: "integer",
  min: 0,
  max: 2 ** 32 - 1,
  default: 0,
  help: "the same seed gives the same bits on one adapter",
} as const;

/** `--split`. */
export const SPLIT = {
  kind: "path",
  required: true,
  takes: "split",
  value: "FILE",
  help: "the split, from deno task split",
} as const;

/** `--model` of what unlearns from it, or learns to. */
export const TRAINED_MODEL = {
  kind: "path",
  required: true,
  takes: "model",
  value: "DIR",
  help: "the trained model",
} as const;

/** `--data`. */
export const DATA = {
  kind: "path",
  required: true,
  takes: "data",
  value: "ROOT",
  help: "the data set's folder",
} as const;

/** `--cache`. */
export const CACHE = {
  kind: "path",
  takes: "cache",
  value: "DIR",
  help: "keeps decoded images for the next run; delete it with the data set",
} as const;

/** `--dataset`. */
export const DATASET = {
  kind: "choice",
  of: DATASET_NAMES,
  required: true,
  help: "the data set's layout",
} as const;

/** `--json-progress`. */
export const JSON_PROGRESS = {
  kind: "flag",
  help: "progress as JSON lines on standard error",
} as const;

/** `--json [FILE]`, for `printResult`. */
export const JSON_RESULT = {
  kind: "json",
  help: "write the result as JSON to FILE, or print it in place of the table",
} as const;

/** Opens the device and says which adapter does the work. */
export async function openAndAnnounce(
  choice: DeviceChoice,
  terminal: Terminal,
  precision: Precision = "float32",
): Promise<Device> {
  const { openDevice } = await import("../../lib/tensor/device.ts");
  const device = await openDevice(choice, precision);
  if (device.notice) terminal.note(device.notice);
  const half = device.precision === "half" ? ", half precision" : "";
  terminal.note(`device: ${device.adapter}${device.software ? " (on the CPU)" : ""}${half}`);
  const hint = choice === "auto" ? softwareHint(device) : null;
  if (hint !== null) terminal.note(hint);
  return device;
}

/**
 * What to do about an adapter that `auto` took although the CPU computes for it. On two cores tfjs's WASM
 * needs some six tenths of the processor time that llvmpipe does for a training step of a small model; on
 * many the adapter's threads may win, so the choice is the user's.
 */
export function softwareHint(
  { backend, software }: Pick<Device, "backend" | "software">,
): string | null {
  return backend === "webgpu" && software
    ? "this adapter is software, no graphics card: on few cores --device wasm is quicker"
    : null;
}

/** `--signing-key` of `train` and `meta-learn`. */
export const SIGNING_KEY = {
  kind: "path",
  takes: "signing key",
  value: "FILE",
  help:
    "leave a signed receipt beside the output, for audit --chain; default lethe.signing-key, if any",
} as const;

/**
 * Leaves the receipt of what is made, where there is a key to sign with.
 *
 * @param model the model that a kit is learned from; null for a model
 */
export type LeaveReceipt = (model: string | null) => Promise<void>;

/**
 * Reads the key before anything is made, so that hours of work do not end with a key that is none.
 *
 * @param options the command's options: all of them are stated
 * @throws {LetheError} the key is missing where it is named, or no key
 */
export async function receiptOf(
  step: "train" | "meta-learn",
  options: {
    readonly out: string;
    readonly split: string;
    readonly signingKey?: string | undefined;
  },
  terminal: Terminal,
): Promise<LeaveReceipt> {
  const { findSigningKey } = await import("../../lib/audit/receipt/signing_key.ts");
  const key = await findSigningKey(options.signingKey);
  if (key === null) return () => Promise.resolve();
  const { out, split, ...others } = options;
  // Paths may name people, and say nothing of what was made.
  const paths = ["data", "model", "cache", "init", "identityKey", "signingKey", "jsonProgress"];
  const settings = Object.fromEntries(
    Object.entries(others).filter(([name]) => !paths.includes(name)),
  );
  return async (model) => {
    const { makingReceiptPath, writeMakingReceipt } = await import(
      "../../lib/audit/receipt/making_receipt.ts"
    );
    await writeMakingReceipt(step, out, model, split, settings, key);
    terminal.print(`${makingReceiptPath(out)} says how it was made, signed`);
  };
}
