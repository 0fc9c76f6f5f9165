import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { done, runTask } from "../e2e/run_task.ts";
import { META_LEARN, smallModel, TRAIN } from "../e2e/small_path.ts";

const BRIEFLY = "--request-size 2 --epochs 1 --statistics none --device wasm --rounds 1".split(" ");

Deno.test("meta-learn --memory writes a sealed row for everybody, and unlearn serves by it in its walls", async () => {
  const folder = await smallModel();
  const memory = "--memory 2 --folds 2 --align folds --out remembering".split(" ");
  await done("meta-learn", [...META_LEARN, ...BRIEFLY, ...memory], folder);
  const kit = join(folder, "remembering");
  const { people, rank } = JSON.parse(await Deno.readTextFile(join(kit, "memory.json")));
  const rows = [...Deno.readDirSync(join(kit, "memory"))];
  assertEquals([rank, people.length, rows.length], [2, rows.length, rows.length]);
  const sizes = new Set(rows.map(({ name }) => Deno.statSync(join(kit, "memory", name)).size));
  assertEquals(sizes.size, 1, "a row's size would tell of its person");

  const request = "--support requests --kit remembering --no-match-check --allow-unusual-step"
    .split(" ");
  const out = await done("unlearn", [...request, "--device", "wasm", "--out", "gone"], folder);
  assertMatch(out, /method: memory/);
  const summary = JSON.parse(await Deno.readTextFile(join(folder, "gone/summary.json")));
  assertEquals([summary.method, summary.people, summary.match], ["memory", 3, null]);
  const left = [...Deno.readDirSync(join(folder, "gone/kit/memory"))].length;
  assertEquals(left, rows.length - 3);
  const receipt = await Deno.readTextFile(join(folder, "gone/receipt.json"));
  assert(
    !receipt.includes(JSON.parse(await Deno.readTextFile(join(kit, "memory.json"))).people[0].salt),
  );
});

Deno.test("meta-learn --stored-updates takes what train --log-updates logged for a kit's rows, and unlearn subtracts it", async () => {
  const folder = await smallModel();
  const line = [...TRAIN, "--device", "wasm", "--epochs", "2", "--log-updates", "4"];
  await done("train", [...line, "--out", "logged"], folder);
  const updates = "--memory full --folds 2 --stored-updates logged.updates --out stored".split(" ");
  await done("meta-learn", [...META_LEARN, ...BRIEFLY, ...updates], folder);
  const left = [...Deno.readDirSync(folder)].map(({ name }) => name);
  assertEquals(left.filter((name) => /stored\.(rows|meta-learning)/.test(name)), []);
  const request = "--support requests --kit stored --no-match-check --allow-unusual-step".split(
    " ",
  );
  await done("unlearn", [...request, "--device", "wasm", "--out", "taken"], folder);
  const summary = JSON.parse(await Deno.readTextFile(join(folder, "taken/summary.json")));
  assertEquals([summary.method, summary.people], ["memory", 3]);
});

Deno.test("unlearn --method memory with a kit that remembers nobody says how to make one that does", async () => {
  const { code, err } = await runTask(
    "unlearn",
    "--support fixtures/requests --method memory --device wasm --out unused".split(" "),
    Deno.cwd(),
  );
  assertEquals(code, 1);
  assertMatch(err, /remembers nobody[^]*--memory full/);
});
