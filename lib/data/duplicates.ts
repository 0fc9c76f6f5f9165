import { HASH_BYTES } from "./file_hashes.ts";
import type { Sample, Samples } from "./sample.ts";

/** Files with the same bytes. */
export type SameImage = readonly Pick<Sample, "file" | "identity">[];

/**
 * Images that a data set has more than once.
 *
 * @param hashes SHA-256 of each sample's file, {@link HASH_BYTES} bytes
 * @returns two files or more each, in the samples' order
 */
export function findDuplicates(samples: Samples, hashes: Uint8Array): SameImage[] {
  return repeatedRows(hashes).map((rows) =>
    rows.map((row) => {
      const { file, identity } = samples.at(row)!;
      return { file, identity };
    })
  );
}

/**
 * Rows of equal hashes. A table of numbers finds them: strings of the hashes of a large data set would take
 * tens of megabytes.
 *
 * @param hashes {@link HASH_BYTES} bytes each
 * @returns two rows or more each, by the first of them
 */
export function repeatedRows(hashes: Uint8Array): number[][] {
  const count = hashes.length / HASH_BYTES;
  const words = new DataView(hashes.buffer, hashes.byteOffset, hashes.byteLength);
  // Of the hashes of one place, the row that came last; and to each row the one before it.
  const last = new Int32Array(2 ** Math.ceil(Math.log2(count + 1))).fill(-1);
  const before = new Int32Array(count);
  const groups = new Map<number, number[]>();
  for (let row = 0; row < count; row++) {
    let folded = 0;
    for (let at = 0; at < HASH_BYTES; at += 4) folded ^= words.getUint32(HASH_BYTES * row + at);
    const place = (folded >>> 0) % last.length;
    let other = last[place];
    while (other >= 0 && !sameHash(hashes, other, row)) other = before[other];
    if (other < 0) {
      before[row] = last[place];
      last[place] = row;
    } else {
      const group = groups.get(other);
      if (group) group.push(row);
      else groups.set(other, [other, row]);
    }
  }
  return [...groups.values()].sort(([a], [b]) => a - b);
}

function sameHash(hashes: Uint8Array, one: number, other: number): boolean {
  for (let i = 0; i < HASH_BYTES; i++) {
    if (hashes[HASH_BYTES * one + i] !== hashes[HASH_BYTES * other + i]) return false;
  }
  return true;
}

/** What is told of duplicates, at most this many each by name. */
const NAMED = 3;

/**
 * Duplicates in words: under two people, in two parts, and of one person.
 *
 * @param partOf the part of each identity, once there is a split
 * @returns lines without a full stop
 */
export function describeDuplicates(
  duplicates: readonly SameImage[],
  partOf?: (identity: string) => string,
): string[] {
  const distinct = (same: SameImage, key: (identity: string) => string) =>
    new Set(same.map(({ identity }) => key(identity))).size;
  const ofTwo = duplicates.filter((same) => distinct(same, (identity) => identity) > 1);
  const ofOne = duplicates.filter((same) => distinct(same, (identity) => identity) === 1);
  const lines: string[] = [];
  if (ofTwo.length > 0) {
    const names = ofTwo.map((same) =>
      same.map(({ file, identity }) => `${file} (${identity})`).join(" = ")
    );
    lines.push(`${counted(ofTwo.length)} under several people: ${listed(names)}`);
  }
  const inTwo = partOf ? ofTwo.filter((same) => distinct(same, partOf) > 1) : [];
  if (partOf && inTwo.length > 0) {
    const names = inTwo.map((same) =>
      same.map(({ file, identity }) => `${file} (${partOf(identity)})`).join(" = ")
    );
    lines.push(
      `${counted(inTwo.length)} in several parts, so what is measured on one was learned from ` +
        `another: ${listed(names)}`,
    );
  }
  if (ofOne.length > 0) {
    const names = ofOne.map((same) => same.map(({ file }) => file).join(" = "));
    lines.push(`${counted(ofOne.length)} of one person more than once: ${listed(names)}`);
  }
  return lines;
}

function counted(images: number): string {
  return images === 1 ? "the same image is there" : `the same images, ${images} of them, are there`;
}

function listed(names: readonly string[]): string {
  const rest = names.length - NAMED;
  return names.slice(0, NAMED).join("; ") + (rest > 0 ? `; and ${rest} more` : "");
}
