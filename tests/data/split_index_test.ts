import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { openDataset } from "../../lib/data/open_dataset.ts";
import { hashImages } from "../../lib/data/loader/image_store.ts";
import { makeSplit, samplesOf } from "../../lib/data/split.ts";
import { writeSplit } from "../../lib/data/split_file.ts";
import { indexPath, readSplitIndex } from "../../lib/data/split_index.ts";
import { LetheError } from "../../lib/error.ts";
import { splitDataset } from "../../lib/run/split_dataset.ts";
import { hashOf, openSplit } from "../../lib/run/split_data.ts";
import { writeSyntheticCelebA } from "./synthetic_celeba.ts";
import { inTemporaryFolder } from "./temporary_folder.ts";

/** A small data set, its split, and what opening it comes to, on plain objects. */
async function smallSplit(folder: string) {
  // In CelebA's own subfolder, which the layout finds.
  const root = join(folder, "data");
  await writeSyntheticCelebA(join(root, "celeba"), { images: 60, people: 12, side: 8, seed: 1 });
  const dataset = await openDataset("celeba", root);
  const hashes = await hashImages(dataset.root, dataset.samples.map(({ file }) => file));
  const path = join(folder, "split.json");
  const split = makeSplit(dataset, { forget: 2, seed: 0, hashes });
  await writeSplit(path, split);
  return { root, path, split, dataset };
}

const plain = ({ split, dataset, sha256 }: Awaited<ReturnType<typeof openSplit>>) => ({
  ...{ sha256, split: { ...split, hashes: { ...split.hashes } } },
  dataset: {
    ...dataset,
    samples: dataset.samples.map(({ file, identity, targets }) => ({ file, identity, targets })),
  },
});

Deno.test("openSplit gives by its index what it gives without", () =>
  inTemporaryFolder(async (folder) => {
    const { root, path, split, dataset } = await smallSplit(folder);
    // Where there is a folder in its place, no index can be written.
    await Deno.mkdir(join(indexPath(path), "in the way"), { recursive: true });
    const parsed = await openSplit(path, root);
    assert(parsed.files?.hashes instanceof Uint8Array);
    await Deno.remove(indexPath(path), { recursive: true });
    const fromIndex = async () => {
      const data = await openSplit(path, root);
      assert(data.files && !(data.files.hashes instanceof Uint8Array));
      return data;
    };
    await fromIndex(); // it leaves an index and uses it at once
    const indexed = await fromIndex();
    assertEquals(plain(indexed), plain(parsed));
    assertEquals(plain(indexed).dataset, plain({ ...parsed, dataset }).dataset);
    for (const part of ["retain", "forget", "val", "test", "train", "support"] as const) {
      const files = (data: typeof parsed) =>
        samplesOf(data.split, data.dataset, part).map(({ file }) => file);
      assertEquals(files(indexed), files(parsed), part);
    }
    for (const sample of indexed.dataset.samples) {
      assertEquals(hashOf(indexed, sample), split.hashes[sample.file]);
    }
  }));

Deno.test("splitDataset leaves the index that opening its split would leave", () =>
  inTemporaryFolder(async (folder) => {
    const { root } = await smallSplit(folder);
    const path = join(folder, "made.json");
    await splitDataset({
      dataset: "celeba",
      data: root,
      out: path,
      forget: 2,
      seed: 0,
      check: false,
    });
    const made = await Deno.readFile(indexPath(path));
    await Deno.remove(indexPath(path));
    await openSplit(path, root);
    assertEquals(await Deno.readFile(indexPath(path)), made);
  }));

Deno.test("openSplit takes a split in another form, which is read as objects, and leaves an index as well", () =>
  inTemporaryFolder(async (folder) => {
    const { root, path, split } = await smallSplit(folder);
    await openSplit(path, root);
    const packed = plain(await openSplit(path, root));
    await Deno.writeTextFile(path, JSON.stringify(split));
    assertEquals(await readSplitIndex(path, root), null);
    assertEquals(plain(await openSplit(path, root)), packed);
    assert(await readSplitIndex(path, root));
  }));

Deno.test("openSplit parses again where split, label files or names have changed, or the index has", () =>
  inTemporaryFolder(async (folder) => {
    const { root, path, split, dataset } = await smallSplit(folder);
    const read = () => readSplitIndex(path, root);
    assertEquals(await read(), null);
    await openSplit(path, root);
    assert(await read());

    const labels = join(root, "celeba", "list_attr_celeba.txt");
    const text = await Deno.readTextFile(labels);
    // One label the other way round: the same length, another value.
    const changed = text.replace(
      /^(000001\.png) ( 1|-1)/m,
      (_, name, value) => `${name} ${value === "-1" ? " 1" : "-1"}`,
    );
    assertNotEquals(changed, text);
    await Deno.writeTextFile(labels, changed);
    assertEquals(await read(), null);
    const after = await openSplit(path, root);
    assert(await read(), "the index is made anew");
    assertNotEquals(after.dataset.samples.at(0)!.targets, dataset.samples.at(0)!.targets);
    const first = split.dataset.labels.length;
    assertEquals(after.dataset.samples.at(0)!.targets.length, first);

    await Deno.writeTextFile(join(root, "celeba", "another.txt"), "");
    assertEquals(await read(), null);
    await openSplit(path, root);

    for (const at of [3, 200, -1]) {
      const bytes = await Deno.readFile(indexPath(path));
      bytes[at < 0 ? bytes.length + at : at] ^= 1;
      await Deno.writeFile(indexPath(path), bytes);
      assertEquals(await read(), null, `byte ${at}`);
      await openSplit(path, root);
    }

    await writeSplit(path, { ...split, seed: 5 });
    assertEquals(await read(), null);
  }));

Deno.test("openSplit misses an image that is gone, index or not", () =>
  inTemporaryFolder(async (folder) => {
    const { root, path } = await smallSplit(folder);
    await openSplit(path, root);
    await Deno.remove(join(root, "celeba", "img_align_celeba", "000007.png"));
    await assertRejects(() => openSplit(path, root), LetheError, "000007.png, which was split");
  }));

Deno.test("openSplit does without an index where it cannot be written", () =>
  inTemporaryFolder(async (folder) => {
    const { root, path } = await smallSplit(folder);
    await Deno.mkdir(join(indexPath(path), "in the way"), { recursive: true });
    for (let turn = 0; turn < 2; turn++) {
      assert((await openSplit(path, root)).files?.hashes instanceof Uint8Array);
    }
  }));
