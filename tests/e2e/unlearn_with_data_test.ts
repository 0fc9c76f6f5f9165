import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { fileHash, json, WASM } from "./kit_folder.ts";
import { doneHere, runHere } from "./run_here.ts";
import { inCopy, tree } from "./small_path.ts";

const run = (method: string, ...rest: string[]) => [
  ..."--model model --split split.json --data portraits --epochs 1 --method".split(" "),
  method,
  ...rest,
  ...WASM,
];

Deno.test("unlearn-with-data writes models that evaluate measures, the same ones for one seed", () =>
  inCopy(async (folder) => {
    const parts = (await json(folder, "split.json")).identities;
    for (const method of ["scrub", "bad-teacher"]) {
      const hashes: string[] = [];
      for (const out of [`${method}-1`, `${method}-2`]) {
        const said = await doneHere("unlearn-with-data", run(method, "--out", out), folder);
        assertStringIncludes(said, `${out}: ${method} (learningRate `);
        hashes.push(await fileHash(join(folder, out, "model.safetensors")));
        assertEquals(await tree(join(folder, out)), [
          "config.json",
          "model.safetensors",
          "unlearning.json",
        ]);
      }
      assertEquals(hashes[0], hashes[1]);
      assertNotEquals(hashes[0], await fileHash(join(folder, "model/model.safetensors")));
      const { settings, source, images } = await json(folder, `${method}-1/unlearning.json`);
      assertEquals([settings.epochs, settings.batchSize], [1, 32]);
      assertEquals(source, "published for celeba and 3 people to forget");
      // Four pictures each; those who are to be forgotten lend one to their request.
      assertEquals(images, { forget: 3 * 3, retain: parts.retain.length * 4 });
      const args = `--model ${method}-1 --split split.json --data portraits`.split(" ");
      const table = await doneHere("evaluate", [...args, ...WASM], folder);
      assert(new RegExp(`\n${method}-1( +\\d+\\.\\d){3}\n`).test(table), table);
    }
  }));

Deno.test("unlearn-with-data refuses a setting of the other method and an output that exists", () =>
  inCopy(async (folder) => {
    const before = await tree(folder);
    const setting = run("bad-teacher", "--forgetting-epochs", "1", "--out", "x");
    const refused = await runHere("unlearn-with-data", setting, folder);
    assertEquals(refused.code, 2);
    assertStringIncludes(
      refused.err,
      "--forgetting-epochs with --method bad-teacher; its settings are",
    );
    const unheard = run("reference-tuning", "--out", "x");
    const without = await runHere("unlearn-with-data", unheard, folder);
    assertEquals(without.code, 2);
    assertStringIncludes(without.err, "reference-tuning without fold models");
    const taken = await runHere("unlearn-with-data", run("scrub", "--out", "model"), folder);
    assertEquals(taken.code, 1);
    assertStringIncludes(taken.err, "model exists");
    assertEquals(await tree(folder), before);
  }));
