import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { openDataset } from "../../lib/data/open_dataset.ts";
import {
  IDENTITY_PARTS,
  makeSplit,
  openSplitDataset,
  samplesOf,
  type Split,
} from "../../lib/data/split.ts";
import { LetheError } from "../../lib/error.ts";
import { syntheticDataset, syntheticHashes } from "./synthetic_dataset.ts";
import { inTemporaryFolder, writeFiles } from "./temporary_folder.ts";

const counts = Array.from({ length: 60 }, (_, i) => 1 + (i * 7) % 12);
const dataset = syntheticDataset(counts);
const split = (forget: number, seed = 0, of = dataset): Split =>
  makeSplit(of, { forget, seed, hashes: syntheticHashes(of) });
const imagesOf = (identities: readonly string[]) =>
  identities.reduce((sum, identity) => sum + counts[Number(identity.slice(1))], 0);

Deno.test("makeSplit puts everybody in one part, 60, 20 and 20 % of the images", () => {
  const { identities } = split(5);
  const everybody = IDENTITY_PARTS.flatMap((part) => identities[part]);
  assertEquals(everybody.length, 60);
  assertEquals(new Set(everybody).size, 60);
  const total = dataset.samples.length;
  const aside = imagesOf(identities.val) + imagesOf(identities.test);
  // As many as fit: no more than the share, and one more person would exceed it.
  assert(aside <= 0.4 * total && aside > 0.4 * total - 12, `${aside} of ${total}`);
  const val = imagesOf(identities.val);
  assert(val <= aside / 2 && val > aside / 2 - 12, `${val} of ${aside}`);
});

Deno.test("makeSplit repeats for a seed, whatever the order of the samples, and differs for others", () => {
  const reversed = { ...dataset, samples: [...dataset.samples].reverse() };
  const [made, again] = [split(5, 3), split(5, 3, reversed)];
  assertEquals(again, { ...made, hashes: again.hashes });
  assertNotEquals(split(5, 3).identities, split(5, 4).identities);
});

Deno.test("makeSplit chooses people with two images, or six when one is asked for", () => {
  const chosenOne = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    const [only] = split(1, seed).identities.forget;
    chosenOne.add(only);
    assert(imagesOf([only]) >= 6);
    for (const identity of split(12, seed).identities.forget) assert(imagesOf([identity]) >= 2);
  }
  assert(chosenOne.size > 15, "the choice hardly depends on the seed");
});

Deno.test("makeSplit draws one support image of each person to forget and keeps it out of training", () => {
  const made = split(8);
  assertEquals(Object.keys(made.support), made.identities.forget);
  const support = samplesOf(made, dataset, "support");
  assertEquals(
    support.map(({ identity, file }) => [identity, file]).sort(),
    Object.entries(made.support).sort(),
  );
  const files = (part: Parameters<typeof samplesOf>[2]) =>
    samplesOf(made, dataset, part).map(({ file }) => file);
  for (const file of Object.values(made.support)) {
    assert(!files("train").includes(file) && !files("forget").includes(file));
  }
  assertEquals(files("train").toSorted(), [...files("retain"), ...files("forget")].sort());
  const all = (["train", "val", "test", "support"] as const).flatMap(files);
  assertEquals(all.sort(), dataset.samples.map(({ file }) => file));
  assertEquals(files("forget").length, imagesOf(made.identities.forget) - 8);
});

Deno.test("makeSplit refuses more people than can be forgotten, stating both numbers", () => {
  for (const forget of [0, -1, 1.5, 59]) {
    assertThrows(() => split(forget), LetheError, `${forget} people to forget, of`);
  }
  const singles = syntheticDataset(new Array(40).fill(1));
  assertThrows(
    () => split(2, 0, singles),
    LetheError,
    "2 people to forget, of 24 in training, 0 with at least 2 different images",
  );
  const fives = syntheticDataset(new Array(40).fill(5));
  assertThrows(() => split(1, 0, fives), LetheError, "0 with at least 6 different images");
  assertEquals(split(2, 0, fives).identities.forget.length, 2);
  assertThrows(() => split(24, 0, fives), LetheError, "ask for at most 23");
});

Deno.test("makeSplit refuses too few people for three parts", () => {
  for (const few of [[9], [9, 9], [9, 9, 9], [1, 1, 100, 100]]) {
    assertThrows(() => split(1, 0, syntheticDataset(few)), LetheError, `${few.length} people in`);
  }
  assertEquals(split(1, 0, syntheticDataset([9, 9, 9, 9, 9])).identities.test.length, 1);
});

const FOLDER = {
  "a.png": "1",
  "b.png": "2",
  "c.png": "3",
  "d.png": "4",
  "e.png": "5",
  "f.png": "6",
  "labels.csv": "file,identity,wet,dry\na.png,a,1,0\nb.png,b,1,0\nc.png,c,1,0\n" +
    "d.png,d,0,1\ne.png,e,0,1\nf.png,e,0,1\n",
};

Deno.test("openSplitDataset opens what was split, with its labels, and nothing else", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, FOLDER);
    const chosen = await openDataset("folder", folder, { attributes: ["dry"] });
    const made: Split = {
      version: 1,
      dataset: { name: "folder", task: "multi-label", labels: ["dry"] },
      seed: 0,
      forgetCount: 1,
      identities: { retain: ["a", "b"], forget: ["e"], val: ["c"], test: ["d"] },
      support: { e: "e.png" },
      hashes: syntheticHashes(chosen),
    };
    assertEquals(await openSplitDataset(made, folder), chosen);

    const refuses = (of: Split, message: string) =>
      assertRejects(() => openSplitDataset(of, folder), LetheError, message);
    const { "c.png": _, ...fewer } = made.hashes;
    await refuses({ ...made, hashes: fewer }, "holds c.png, which the split does not know");
    await refuses({ ...made, hashes: { ...made.hashes, "z.png": "0" } }, "lacks z.png");
    const strangers = { ...made.identities, val: ["somebody"] };
    await refuses({ ...made, identities: strangers }, "shows c, whom the split does not know");
    await refuses(
      { ...made, dataset: { ...made.dataset, task: "classes", labels: ["wet"] } },
      "has other classes",
    );
    await writeFiles(folder, { "labels.csv": FOLDER["labels.csv"].replace("dry", "cold") });
    await assertRejects(() => openSplitDataset(made, folder), LetheError, "attribute dry");
  }));
