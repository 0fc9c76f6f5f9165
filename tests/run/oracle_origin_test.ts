import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { UsageError } from "../../lib/error.ts";
import { checkOracleStart, oracleNotes } from "../../lib/run/oracle_origin.ts";
import { inTemporaryFolder, writeFiles } from "../data/temporary_folder.ts";
import { runHere } from "../e2e/run_here.ts";
import { smallPath } from "../e2e/small_path.ts";

const [SPLIT, OTHER] = ["a".repeat(64), "b".repeat(64)];

Deno.test("oracleNotes refuses a model of this split that saw the people to forget, and tells of every other doubt", () =>
  inTemporaryFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    const history = (fields: Record<string, unknown>) => JSON.stringify({ history: [], ...fields });
    await writeFiles(folder, {
      "model/model.safetensors": "weights",
      "oracle/model.safetensors": "Weights",
      "oracle/history.json": history({ withoutForget: true, split: SPLIT }),
      "copy/model.safetensors": "Weights",
      "old/history.json": history({ withoutForget: true }),
      "other/history.json": history({ withoutForget: true, split: OTHER }),
      "trained/history.json": history({ withoutForget: false, split: SPLIT }),
      "old-trained/history.json": history({ withoutForget: false }),
      "out/summary.json": "{}",
      "out/model/model.safetensors": "w",
      "scrubbed/unlearning.json": "{}",
      "imported/config.json": "{}",
      "odd/history.json": '{"withoutForget":"true"}',
    });
    const notes = (retrained: string, ...models: string[]) =>
      oracleNotes({ retrained: at(retrained), models: models.map(at), split: SPLIT });
    assertEquals(await notes("oracle", "model"), []);
    assertEquals(await notes("old", "model"), []);
    for (const name of ["oracle", "copy"]) {
      const [note] = await notes("oracle", "model", name);
      assertMatch(
        note,
        new RegExp(`/${name} is the retrained model itself: its Tug-of-War is 100`),
      );
    }
    const refusal = await assertRejects(() => notes("trained", "model"), UsageError);
    assertStringIncludes(refusal.message, "trained was trained with the people to forget; ");
    for (
      const [name, says] of [
        ["other", "the people to forget of another split"],
        ["old-trained", "trained without leaving out"],
        ["out/model", "what unlearning left"],
        ["scrubbed", "what unlearning left"],
        ["imported", "does not tell how it was trained"],
        ["odd", "does not tell how it was trained"],
      ]
    ) {
      const told = await notes(name, "model");
      assertEquals([told.length, told[0].includes(says)], [1, true], told.join());
    }
  }));

const DATA = "--split split.json --data portraits --device wasm".split(" ");

Deno.test("evaluate refuses the trained model as the oracle as wrong usage", async () => {
  const folder = await smallPath();
  const trained = ["--model", "retrained", "--retrained", "model", ...DATA];
  const { code, out, err } = await runHere("evaluate", trained, folder);
  assertEquals([code, out], [2, ""]);
  assertMatch(
    err,
    /\nlethe: model was trained with the people to forget; .*train --without-forget`/,
  );
});

Deno.test("checkOracleStart refuses weights that saw this split's people to forget, and no others", () =>
  inTemporaryFolder(async (folder) => {
    const history = (fields: Record<string, unknown>) => JSON.stringify({ history: [], ...fields });
    await writeFiles(folder, {
      "seen/history.json": history({ withoutForget: false, split: SPLIT }),
      "seen/model.safetensors": "w",
      "other/history.json": history({ withoutForget: false, split: OTHER }),
      "oracle/history.json": history({ withoutForget: true, split: SPLIT }),
      "bare/model.safetensors": "w",
    });
    for (const init of ["seen", "seen/model.safetensors"]) {
      const start = checkOracleStart(join(folder, init), SPLIT);
      await assertRejects(() => start, UsageError, "was trained with the people to forget");
    }
    for (const init of ["other", "oracle", "bare", "bare/model.safetensors"]) {
      await checkOracleStart(join(folder, init), SPLIT);
    }
  }));

const UNLEARN = [...DATA, "--model", "retrained", "--out", "never", "--memory-limit", "1MiB"];

for (
  const [task, args, what] of [
    ["meta-learn", [], "its kit"],
    ["unlearn-with-data", ["--method", "scrub"], "what is unlearned of it"],
  ] as const
) {
  Deno.test(`${task} tells that a model was retrained without the people to forget, and nothing of the trained one`, async () => {
    const folder = await smallPath();
    const says = `was trained without the people to forget: ${what} serves for comparison alone`;
    const oracle = await runHere(task, [...UNLEARN, ...args], folder);
    assertStringIncludes(oracle.err, `retrained ${says}\n`);
    assertStringIncludes(oracle.err, "--memory-limit"); // where it ends
    const model = UNLEARN.map((word) => word === "retrained" ? "model" : word);
    const { err } = await runHere(task, [...model, ...args], folder);
    assertEquals(err.includes(says), false);
    const other = join(await Deno.makeTempDir(), "other.json");
    const drawn = ["--dataset", "celeba", "--data", "portraits", "--forget", "2", "--seed", "9"];
    assertEquals((await runHere("split", [...drawn, "--out", other], folder)).code, 0);
    const elsewhere = model.map((word) => word === "split.json" ? other : word);
    const { err: told } = await runHere(task, [...elsewhere, ...args], folder);
    assertStringIncludes(told, `model was trained on another split than this: ${what} is of`);
    assertEquals(err.includes("another split"), false);
  });
}
