import { assert, assertEquals } from "@std/assert";
import { describeDuplicates, findDuplicates, repeatedRows } from "../../lib/data/duplicates.ts";
import { HASH_BYTES, packHashes } from "../../lib/data/file_hashes.ts";
import { makeSplit } from "../../lib/data/split.ts";
import { Random } from "../../lib/random.ts";
import { syntheticDataset, syntheticHashes } from "./synthetic_dataset.ts";

const dataset = syntheticDataset([3, 3, 3]);
const files = dataset.samples.map(({ file }) => file);
const duplicates = (hashes: Record<string, string>) =>
  findDuplicates(dataset.samples, packHashes(dataset.samples, hashes));

Deno.test("findDuplicates groups files of one hash, in the samples' order", () => {
  const hashes = syntheticHashes(dataset);
  assertEquals(duplicates(hashes), []);
  const again = { ...hashes, [files[4]]: hashes[files[1]], [files[5]]: hashes[files[1]] };
  const found = duplicates(again);
  assertEquals(found.map((same) => same.map(({ file }) => file)), [[files[1], files[4], files[5]]]);
});

Deno.test("repeatedRows finds what sorting finds, however alike the hashes begin", () => {
  const random = new Random(0, "repeated rows");
  const hashes = new Uint8Array(300 * HASH_BYTES);
  // Few values: many rows are the same, and those that differ do so in their last byte or their first.
  for (let row = 0; row < 300; row++) {
    hashes[row * HASH_BYTES + (row % 2 === 0 ? 0 : HASH_BYTES - 1)] = random.integer(200);
  }
  const byHash = new Map<string, number[]>();
  for (let row = 0; row < 300; row++) {
    const hash = hashes.subarray(row * HASH_BYTES, (row + 1) * HASH_BYTES).toHex();
    byHash.set(hash, [...byHash.get(hash) ?? [], row]);
  }
  const expected = [...byHash.values()].filter((rows) => rows.length > 1);
  assert(expected.length > 20 && expected.some((rows) => rows.length > 2));
  // A part of a larger buffer as well.
  const within = new Uint8Array(7 + hashes.length);
  within.set(hashes, 7);
  assertEquals(repeatedRows(hashes), expected);
  assertEquals(repeatedRows(within.subarray(7)), expected);
  assertEquals(repeatedRows(new Uint8Array(0)), []);
});

Deno.test("describeDuplicates tells people, parts and repetitions apart", () => {
  const hashes = syntheticHashes(dataset);
  const same = (a: number, b: number) => duplicates({ ...hashes, [files[a]]: hashes[files[b]] });
  const partOf = (identity: string) => identity === "p2" ? "test" : "retain";
  const [people, parts] = describeDuplicates(same(8, 0), partOf);
  assert(people.includes(`under several people: ${files[0]} (p0) = ${files[8]} (p2)`), people);
  assert(parts.includes(`${files[0]} (retain) = ${files[8]} (test)`), parts);
  assertEquals(describeDuplicates(same(3, 0), partOf).length, 1);
  const [own] = describeDuplicates(same(1, 0), partOf);
  assert(own.includes(`of one person more than once: ${files[0]} = ${files[1]}`), own);
  assertEquals(describeDuplicates([], partOf), []);
});

Deno.test("makeSplit draws no support image that is there twice", () => {
  const people = syntheticDataset(new Array(20).fill(4));
  const hashes = syntheticHashes(people);
  // Of each person all images but the last come again elsewhere or at home.
  const repeated = Object.fromEntries(
    people.samples.map(({ file }, i) => [file, i % 4 === 3 ? hashes[file] : "f".repeat(64)]),
  );
  for (let seed = 0; seed < 5; seed++) {
    const { support } = makeSplit(people, { forget: 3, seed, hashes: repeated });
    assertEquals(Object.values(support).every((file) => file.endsWith("_03.png")), true);
    // Where nothing comes twice, the draw is what it was.
    const plain = makeSplit(people, { forget: 3, seed, hashes });
    assertEquals(new Set(Object.values(plain.support)).size, 3);
  }
});
