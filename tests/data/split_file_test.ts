import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { makeSplit } from "../../lib/data/split.ts";
import { readSplit, splitHash, writeSplit } from "../../lib/data/split_file.ts";
import { LetheError } from "../../lib/error.ts";
import { sha256Hex } from "../../lib/files/sha256.ts";
import { syntheticDataset, syntheticHashes } from "./synthetic_dataset.ts";
import { inTemporaryFolder } from "./temporary_folder.ts";

const dataset = syntheticDataset(new Array(10).fill(3));
const split = makeSplit(dataset, { forget: 2, seed: 1, hashes: syntheticHashes(dataset) });

Deno.test("readSplit gives back what writeSplit wrote", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "split.json");
    await writeSplit(path, split);
    assertEquals(await readSplit(path), split);
  }));

Deno.test("splitHash is the SHA-256 of a split's JSON, whatever its names and the order of its fields", () => {
  const { hashes, ...rest } = split;
  const names = { 'a "quoted" name.png': "00", "Zoë\\n.png": "11", "7": "22", "𝕏.png": "33" };
  for (
    const each of [split, { hashes, ...rest }, { ...rest, hashes: {} }, { ...split, hashes: names }]
  ) {
    const whole = sha256Hex(new TextEncoder().encode(JSON.stringify(each)));
    assertEquals(splitHash(each), whole);
  }
});

Deno.test("readSplit names the field that is wrong", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "split.json");
    const [first, second] = split.identities.forget;
    const file = split.support[first];
    const { dataset: described, identities, support, hashes } = split;
    const changes: [string, unknown][] = [
      ["version", { version: 2 }],
      ["dataset", { dataset: null }],
      ["dataset.name", { dataset: { ...described, name: "imagenet" } }],
      ["dataset.task", { dataset: { ...described, task: "regression" } }],
      ["dataset.labels", { dataset: { ...described, labels: [] } }],
      ["dataset.labels", { dataset: { ...described, labels: ["a", "a"] } }],
      ["seed", { seed: "1" }],
      ["identities", { identities: [] }],
      ["identities.val", { identities: { ...identities, val: [] } }],
      ["identities.test", { identities: { ...identities, test: [7] } }],
      ["identities", { identities: { ...identities, val: [first] } }],
      ["forgetCount", { forgetCount: 3 }],
      ["support", { support: { [first]: file } }],
      ["support", { support: { [first]: file, somebody: support[second] } }],
      ["support", { support: { [first]: file, [second]: file } }],
      [`support["${first}"]`, { support: { ...support, [first]: "other.png" } }],
      [`support["${first}"]`, { support: { ...support, [first]: 5 } }],
      ["hashes", { hashes: [] }],
      [`hashes["${file}"]`, { hashes: { ...hashes, [file]: "abc" } }],
    ];
    for (const [field, change] of changes) {
      await Deno.writeTextFile(path, JSON.stringify({ ...split, ...change as object }));
      const error = await assertRejects(() => readSplit(path), LetheError);
      const start = `${path}: the field ${field} is missing or wrong; `;
      assertEquals(error.message.slice(0, start.length), start);
    }
    const escaping = { ...split, hashes: { ...hashes, "../x": "0".repeat(64) } };
    await Deno.writeTextFile(path, JSON.stringify(escaping));
    await assertRejects(() => readSplit(path), LetheError, 'the field hashes names "../x"');
  }));

Deno.test("readSplit refuses what is no JSON object", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "split.json");
    await assertRejects(() => readSplit(path), LetheError, "does not exist");
    for (const [text, message] of [["{", "is not JSON"], ["[]", "(all)"], ["null", "(all)"]]) {
      await Deno.writeTextFile(path, text);
      await assertRejects(() => readSplit(path), LetheError, message);
    }
  }));
