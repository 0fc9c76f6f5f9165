import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { basename, join } from "@std/path";
import { tugOfWar } from "../../lib/measure/eq7_tug_of_war.ts";
import { embeddingRows, fileHash, hashOf, json, photos, pick, unlearning } from "./kit_folder.ts";
import { DEVICE, done } from "./run_task.ts";
import { doneHere, runHere } from "./run_here.ts";
import { readMarks } from "../../lib/model/kit/uses_record.ts";
import { inCopy, tree } from "./small_path.ts";

Deno.test("evaluate measures what unlearn made of portraits, and predict reads it", () =>
  inCopy(async (folder) => {
    const said = await done(
      "unlearn",
      unlearning("requests", "kit", "unlearned", DEVICE),
      folder,
    );
    assertMatch(said, /^kit: kit\n/);
    assertStringIncludes(said, `forgot 3 people in 2 steps; labels from requests.csv`);
    assertEquals(await tree(join(folder, "unlearned")), [
      "kit/",
      "kit/config.json",
      "kit/covariances.safetensors",
      "kit/importances.safetensors",
      "kit/kit.json",
      "kit/meta_loss.safetensors",
      "kit/model.safetensors",
      "kit/training_images.txt",
      "model/",
      "model/config.json",
      "model/model.safetensors",
      "receipt.html",
      "receipt.json",
      "summary.json",
    ]);

    const measured = async (model: string) => {
      const figures = `${basename(model)}.figures.json`;
      const args = ["--model", model, "--before", "model", "--retrained", "retrained", ...DEVICE];
      const rest = ["--split", "split.json", "--data", "portraits", "--json", figures];
      const table = await doneHere("evaluate", [...args, ...rest], folder);
      const [metric, loss, labels] = table.split("\n\n");
      assertMatch(metric, /^mAP in percent +retain +forget +test +Tug-of-War\n/);
      for (const name of ["model", model, "retrained"]) {
        assertMatch(metric, new RegExp(`\n${name}( +\\d+\\.\\d){4}`));
        assertMatch(loss, new RegExp(`\n${name}( +\\d\\.\\d{4}){3}\n`));
      }
      assertMatch(labels, /\nSmiling +\S+ +\S+ +\S+\n/);
      return await json(folder, figures);
    };
    const [after, oracle] = [
      await measured("unlearned/model"),
      await measured("retrained"),
    ];
    assertEquals(after.metric, "mAP");
    for (const part of ["retain", "forget", "test"]) {
      assertEquals(Object.keys(after[part]), ["metric", "loss", "images", "perLabel"]);
      assertEquals(after.retrained[part], oracle[part]);
      assert(after[part].metric > 0 && after[part].metric <= 1 && after[part].loss > 0);
    }
    assertEquals(oracle.tow, 1, "the oracle is as good as itself");
    assertEquals(oracle.gapClosed, 1);
    assertAlmostEquals(
      after.gapClosed,
      (after.tow - after.before.tow) / (1 - after.before.tow),
      1e-12,
    );
    const metrics = (of: typeof after) => ({
      retain: of.retain.metric,
      forget: of.forget.metric,
      test: of.test.metric,
    });
    assertAlmostEquals(after.tow, tugOfWar(metrics(after), metrics(oracle)), 1e-12);

    const predicted = async (model: string) => {
      const file = `${model.replace("/", "-")}.json`;
      const args = ["--model", model, "--images", "requests", "--json", file, ...DEVICE];
      assertEquals(await doneHere("predict", args, folder), `${file}: 3 images\n`);
      return await json(folder, file);
    };
    const [before, now] = [await predicted("model"), await predicted("unlearned/model")];
    const { labels, dim } = await json(folder, "unlearned/model/config.json");
    assertEquals(now.labels, labels);
    assertEquals(now.images.map(({ file }: { file: string }) => file), await photos(folder));
    for (const { logits, features } of now.images) {
      assertEquals([logits.length, features.length], [labels.length, dim]);
    }
    assertNotEquals(now.images[0].logits, before.images[0].logits);
  }));

Deno.test("unlearn serves the next request from the next kit, and forgets nobody twice", () =>
  inCopy(async (folder) => {
    const [first, second] = await photos(folder);
    const rows = await embeddingRows(join(folder, "kit"));
    await pick(folder, [first], "one");
    await doneHere("unlearn", unlearning("one"), folder);
    await pick(folder, [second], "two");
    await doneHere("unlearn", unlearning("two", "unlearned/kit", "again"), folder);

    const forgotten = [await hashOf(folder, first), await hashOf(folder, second)];
    const [next, last] = [join(folder, "unlearned/kit"), join(folder, "again/kit")];
    for (const [kit, gone] of [[next, forgotten.slice(0, 1)], [last, forgotten]] as const) {
      const left = [...rows].filter(([hash]) => !gone.includes(hash));
      assertEquals(
        [...await embeddingRows(kit)],
        left,
        "theirs are gone, the others' are as before",
      );
      assertEquals((await json(kit, "kit.json")).forgotten, gone.toSorted());
    }
    const [was, is] = [await json(folder, "again/summary.json"), await json(last, "kit.json")];
    assertEquals([is.generation, is.parent, was.kit.before], [
      2,
      (await json(next, "kit.json")).id,
      (await json(next, "kit.json")).id,
    ]);
    assertEquals(was.steps.map(({ people }: { people: number }) => people), [1]);
    assertEquals(was.weights.after, await fileHash(join(folder, "again/model/model.safetensors")));
    assertEquals(was.weights.before, await fileHash(join(next, "model.safetensors")));

    await pick(folder, [first], "again-one");
    const twice = await runHere("unlearn", unlearning("again-one", "again/kit", "x"), folder);
    assertEquals(twice.code, 1);
    assertStringIncludes(twice.err, `again-one/${first} asks for a person whom an earlier request`);
  }));

Deno.test("unlearn refuses a kit with a successor unless it is told to branch", () =>
  inCopy(async (folder) => {
    await doneHere("unlearn", unlearning("requests"), folder);
    const before = await tree(folder);
    const again = unlearning("requests", "kit", "second");
    const refused = await runHere("unlearn", again, folder);
    assertEquals(refused.code, 1);
    assertMatch(
      refused.err,
      /^lethe: kit has a successor, [^\n]*unlearned\/kit; [^\n]*--branch[^\n]*\n$/,
    );
    assertEquals(await tree(folder), before);
    const unexplained = await runHere("unlearn", [
      ...unlearning("requests", "kit", "third"),
      "--branch",
    ], folder);
    assertEquals(unexplained.code, 0);
    assertMatch(unexplained.err, /--branch from kit, .* without --reason: the receipt says/);
    assertEquals(
      (await json(folder, "third/receipt.json")).settings.branchReason,
      "none given",
    );
    await doneHere("unlearn", [...again, "--branch", "--reason", "the same again"], folder);
    assertEquals(
      (await json(folder, "second/receipt.json")).settings.branchReason,
      "the same again",
    );
    const [one, two] = [
      await json(folder, "unlearned/summary.json"),
      await json(folder, "second/summary.json"),
    ];
    assertEquals(one.weights, two.weights, "the same request gives the same bits");
    const marks = await readMarks(join(folder, "kit"));
    assertEquals(marks.map(({ mark, branch }) => [mark, branch]), [
      ...[["begun", false], ["done", false]] as const,
      ...[["begun", true], ["done", true], ["begun", true], ["done", true]] as const,
    ]);
  }));
