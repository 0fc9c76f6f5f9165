import type { Sample, Samples } from "./sample.ts";

/** Files with the same bytes. */
export type SameImage = readonly Pick<Sample, "file" | "identity">[];

/**
 * Images that a data set has more than once.
 *
 * @param hashes SHA-256 by file
 * @returns two files or more each, in the samples' order
 */
export function findDuplicates(
  samples: Samples,
  hashes: Readonly<Record<string, string>>,
): SameImage[] {
  const byHash = new Map<string, Sample[]>();
  for (const sample of samples) {
    const same = byHash.get(hashes[sample.file]);
    if (same) same.push(sample);
    else byHash.set(hashes[sample.file], [sample]);
  }
  return [...byHash.values()].filter((same) => same.length > 1)
    .map((same) => same.map(({ file, identity }) => ({ file, identity })));
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
