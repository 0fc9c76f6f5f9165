import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { otherSplitNotice, trainedSplit } from "../../lib/run/trained_split.ts";
import { inTemporaryFolder, writeFiles } from "../data/temporary_folder.ts";
import { runHere } from "../e2e/run_here.ts";
import { smallPath } from "../e2e/small_path.ts";

const [SPLIT, OTHER] = ["a".repeat(64), "b".repeat(64)];

Deno.test("trainedSplit finds what train, unlearn-with-data and meta-learn noted, and takes nothing else for it", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, {
      "trained/history.json": JSON.stringify({ history: [], split: SPLIT }),
      "trained/model.safetensors": "w",
      "scrubbed/unlearning.json": JSON.stringify({ split: OTHER }),
      "out/kit/kit.json": JSON.stringify({ record: { split: SPLIT } }),
      "out/model/config.json": "{}",
      "odd/history.json": JSON.stringify({ split: 7 }),
      "odd/unlearning.json": "null",
      "bare/config.json": "{}",
      "bare/kit/kit.json": JSON.stringify({ record: null }),
    });
    const found = (path: string) => trainedSplit(join(folder, path));
    assertEquals(await found("trained"), SPLIT);
    assertEquals(await found("trained/model.safetensors"), SPLIT);
    assertEquals(await found("scrubbed"), OTHER);
    assertEquals(await found("out/model"), SPLIT);
    for (const path of ["odd", "bare", "bare/below", "nowhere"]) {
      assertEquals(await found(path), null, path);
    }
    assertEquals(await otherSplitNotice(join(folder, "trained"), "so", SPLIT), null);
    assertEquals(await otherSplitNotice(join(folder, "bare"), "so", SPLIT), null);
    assertStringIncludes(
      (await otherSplitNotice(join(folder, "trained"), "so", OTHER))!,
      "trained was trained on another split than this: so",
    );
  }));

const TOLD = "was trained on another split than this: ";

for (
  const [task, args, ...models] of [
    ["evaluate", ["--data", "portraits", "--model", "model"], "model"],
    [
      "accept",
      "--images portraits --dataset celeba --before model --after retrained".split(" "),
      "model",
      "retrained",
    ],
    [
      "train",
      "--data portraits --init model --out never --memory-limit 1MiB --without-forget".split(" "),
      "model",
    ],
  ] as const
) {
  Deno.test(`${task} tells that a model was trained on another split, and nothing of this split's`, () =>
    inTemporaryFolder(async (place) => {
      const [folder, other] = [await smallPath(), join(place, "other.json")];
      const drawn = "--dataset celeba --data portraits --forget 2 --seed 9 --out".split(" ");
      assertEquals((await runHere("split", [...drawn, other], folder)).code, 0);
      const given = [...args, "--device", "wasm", "--split"];
      const told = await runHere(task, [...given, other], folder);
      for (const model of models) assertStringIncludes(told.err, `${model} ${TOLD}`);
      const own = await runHere(task, [...given, "split.json"], folder);
      assertEquals(own.err.includes("another split"), false, own.err);
    }));
}
