import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { digestFile } from "../record/digest_files.ts";
import type { LayerOutcome, LayerState } from "./layer.ts";
import type { Digest, FileDigest } from "../receipt/receipt.ts";

/** A check's state and detail. */
export type Verdict = readonly [LayerState, string];

/** A check by its name. */
export type Check = readonly [name: string, check: () => Verdict | Promise<Verdict>];

/** Runs checks one after another; what a check cannot read has failed. */
export async function runChecks(checks: readonly Check[]): Promise<LayerOutcome[]> {
  const outcomes: LayerOutcome[] = [];
  for (const [layer, check] of checks) {
    const [state, detail] = await Promise.resolve().then(check).catch((error): Verdict => {
      if (error instanceof LetheError) return ["failed", error.message];
      throw error;
    });
    outcomes.push({ layer, state, detail });
  }
  return outcomes;
}

/** The first file that is not as it was, in words; undefined where all are. */
export async function differing(
  folder: string,
  files: readonly FileDigest[],
): Promise<string | undefined> {
  for (const entry of files) {
    const path = join(folder, entry.file);
    const { size } = await Deno.lstat(path).catch(() => ({ size: entry.bytes }));
    // Before it is read: a receipt may lie about a file of any size.
    if (size !== entry.bytes || !same(await digestFile(path), entry)) {
      return `${entry.file} has another hash than in the receipt`;
    }
  }
}

/** Whether two files have the same content. */
export function same(a: Digest, b: Digest): boolean {
  return a.sha256 === b.sha256 && a.bytes === b.bytes;
}

/** Whether a file holds a text and nothing else: a reader of text would pass over a byte order mark. */
export async function holds(path: string, text: string): Promise<boolean> {
  const bytes = new TextEncoder().encode(text);
  return same(await digestFile(path), { sha256: sha256Hex(bytes), bytes: bytes.length });
}

/** Whether anything lies at a path, a broken link included. */
export function isThere(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}

/** A hash as lines tell it: its beginning. */
export function short(hash: string): string {
  return `${hash.slice(0, 16)}..`;
}
