import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { openHashes } from "../../lib/data/file_hashes.ts";
import { fileAt, fileCount } from "../../lib/data/file_table.ts";
import { readPackedSplit } from "../../lib/data/packed_split.ts";
import type { Split } from "../../lib/data/split.ts";
import { readSplit, splitHash, writeSplit } from "../../lib/data/split_file.ts";
import { LetheError } from "../../lib/error.ts";
import { sha256File } from "../../lib/files/sha256.ts";
import { inTemporaryFolder } from "./temporary_folder.ts";

const FILES = ["a.jpg", 'b "quoted".jpg', "bé.jpg", "c/😀.png", "c/\uff5e.png"]
  .sort();

/** A split of some files with odd names. */
function oddSplit(): Split {
  const labels = ["Smiling"];
  return {
    version: 1,
    dataset: { name: "celeba", task: "multi-label", labels },
    seed: 0,
    forgetCount: 1,
    identities: { retain: ["a"], forget: ["10"], val: ["c"], test: ["d"] },
    support: { "10": FILES[2] },
    hashes: Object.fromEntries(FILES.map((file, i) => [file, `${i}`.repeat(64)])),
  };
}

Deno.test("readPackedSplit reads what writeSplit wrote as readSplit does", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "split.json");
    await writeSplit(path, oddSplit());
    const packed = await readPackedSplit(path);
    assert(packed !== null);
    const { hashes, ...rest } = await readSplit(path);
    assertEquals(packed!.split, rest);
    using reader = openHashes(packed!.hashes);
    const rows = Array.from({ length: fileCount(packed!.table) }, (_, row) => row);
    const own = rows.map((row) => [fileAt(packed!.table, row), reader.at(row)]);
    assertEquals(own, Object.entries(hashes));
    assertEquals(packed!.sha256, splitHash(oddSplit()));
    assertEquals(packed!.file, sha256File(path));
  }));

Deno.test("readPackedSplit leaves any other form to readSplit", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "split.json");
    const split = oddSplit();
    const { hashes, ...rest } = split;
    const text = JSON.stringify(split, null, 2) + "\n";
    const backwards = Object.fromEntries(Object.entries(split.hashes).reverse());
    const forms: Record<string, string> = {
      "without white space": JSON.stringify(split),
      "hashes first": JSON.stringify({ hashes, ...rest }, null, 2),
      "other order": JSON.stringify({ ...split, hashes: backwards }, null, 2),
      "a number for a name": text.replace('"a.jpg"', '"7"'),
      "twice": text.replace('"a.jpg"', `${JSON.stringify(FILES[1])}`),
      "no hashes": JSON.stringify({ ...split, hashes: {} }, null, 2),
      "a field behind": text.replace(/\}\n\}\n$/, '},\n  "more": 1\n}\n'),
      "text behind": text + "more\n",
      "cut": text.slice(0, -30),
      "no hash": text.replace("0".repeat(64), "0".repeat(63)),
      "hashes further in": text.replace('"seed": 0', '"seed": {\n  "hashes": {\n  }\n}'),
      "empty": "",
    };
    for (const [form, changed] of Object.entries(forms)) {
      assertNotEquals(changed, text, form);
      await Deno.writeTextFile(path, changed);
      assertEquals(await readPackedSplit(path), null, form);
    }
  }));

Deno.test("readPackedSplit names the field that is wrong", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "split.json");
    const write = (split: unknown) =>
      Deno.writeTextFile(path, JSON.stringify(split, null, 2) + "\n");
    await write({ ...oddSplit(), support: { "10": "elsewhere.jpg" } });
    await assertRejects(
      () => readPackedSplit(path),
      LetheError,
      'support["10"] is missing or wrong',
    );
    await write({ ...oddSplit(), hashes: { "../a.jpg": "0".repeat(64) } });
    await assertRejects(() => readPackedSplit(path), LetheError, '"../a.jpg"');
  }));
