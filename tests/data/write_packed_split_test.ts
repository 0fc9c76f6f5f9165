import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { packHashes } from "../../lib/data/file_hashes.ts";
import { packFiles } from "../../lib/data/file_table.ts";
import { readPackedSplit } from "../../lib/data/packed_split.ts";
import { drawSplit, makeSplit } from "../../lib/data/split.ts";
import { splitHash, writeSplit } from "../../lib/data/split_file.ts";
import { writePackedSplit } from "../../lib/data/write_packed_split.ts";
import { LetheError } from "../../lib/error.ts";
import { sha256File } from "../../lib/files/sha256.ts";
import { syntheticDataset, syntheticHashes } from "./synthetic_dataset.ts";
import { inTemporaryFolder } from "./temporary_folder.ts";

/** A split and its columns; of many files, so that they are written in several pieces. */
function packed(people: number) {
  const dataset = syntheticDataset(new Array(people).fill(4));
  const odd = dataset.samples.map((sample, i) =>
    i % 50 === 0 ? { ...sample, file: `${sample.file} "é😀.png` } : sample
  );
  const samples = odd.sort((a, b) => a.file < b.file ? -1 : 1);
  const own = { ...dataset, samples };
  const hashes = syntheticHashes(own);
  const options = { forget: 3, seed: 2 };
  const files = {
    table: packFiles(samples.map(({ file }) => file)),
    hashes: packHashes(samples, hashes),
  };
  return {
    files,
    whole: makeSplit(own, { ...options, hashes }),
    drawn: drawSplit(own, { ...options, hashes: files.hashes }),
  };
}

Deno.test("writePackedSplit writes the bytes of writeSplit and gives their hashes", () =>
  inTemporaryFolder(async (folder) => {
    for (const people of [10, 1000]) {
      const { files, whole, drawn } = packed(people);
      const [path, plain] = [join(folder, `packed-${people}.json`), join(folder, `${people}.json`)];
      const made = await writePackedSplit(path, drawn, files);
      await writeSplit(plain, whole);
      assertEquals(Deno.readTextFileSync(path), Deno.readTextFileSync(plain));
      assertEquals(made, { sha256: splitHash(whole), file: sha256File(plain) });
      const read = await readPackedSplit(path);
      assert(read !== null);
      assertEquals([read!.split, read!.sha256], [drawn, made.sha256]);
    }
    const [small, large] = [10, 1000].map((people) => packed(people).files.table);
    assertNotEquals(small.ends.length, large.ends.length);
  }));

Deno.test("writePackedSplit leaves nothing where it cannot write all of it", () =>
  inTemporaryFolder(async (folder) => {
    const { files, drawn } = packed(1000);
    const gone = { path: join(folder, "gone"), begin: 0, from: 0, sha256: "" };
    const identity = { dev: 0, ino: 0, size: 0, changed: 0 };
    const path = join(folder, "split.json");
    await assertRejects(
      () => writePackedSplit(path, drawn, { ...files, hashes: { ...gone, identity } }),
      LetheError,
      "changed while it was in use",
    );
    assertEquals([...Deno.readDirSync(folder)], []);
  }));
