import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { noteOnCheck } from "../../cli/unlearn/note_on_check.ts";
import { recordedTerminal } from "../cli/recorded_terminal.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { runHere } from "../e2e/run_here.ts";
import { names, tree } from "../e2e/small_path.ts";
import { prepare } from "../run/memory_kit.ts";

const UNLEARN = "--support 0 --kit kit --out out --device wasm".split(" ");

Deno.test("unlearn --dry-run looks at the photographs, takes the step and keeps nothing: the kit serves a request afterwards", () =>
  inTemporaryFolder(async (folder) => {
    await prepare(folder, 1, 2, [1], "all", 0.3);
    const before = names(folder);
    const trial = await runHere("unlearn", [...UNLEARN, "--dry-run"], folder);
    assertEquals(trial.code, 0, trial.err);
    assertEquals(names(folder), before);
    const told =
      /\nphotographs: the farthest is \d\.\d{3} from the person whom it names; up to 2\.000 is taken\n/;
    assertMatch(trial.out, told);
    assert(
      trial.out.endsWith("\ndry run: nothing of this is kept, and kit is as unused as before\n"),
      trial.out,
    );
    assertMatch(trial.out, /\nwould forget 1 person in 1 step; /);
    assertMatch(trial.err, /\nphotographs less than 64 pixels high, [^\n]*Ada\.png/);
    const weak =
      "photographs: this kit's check lets 70 % of other people's pass, and a request uses";
    assertStringIncludes(trial.err, weak);
    const run = await runHere("unlearn", UNLEARN, folder);
    assertEquals(run.code, 0, run.err);
    assertStringIncludes(run.err, weak);
    const again = await runHere("unlearn", [...UNLEARN.slice(0, -4), "--out", "new"], folder);
    assertEquals(again.code, 1);
    assertStringIncludes(again.err, "--branch --reason TEXT");
    // Nothing is written, not even for a while: the folders' own times are what they were.
    const state = async () => [
      await tree(folder),
      await Deno.readTextFile(join(folder, "kit.successor.json")),
      ...await Promise.all(
        ["", "kit", "0"].map(async (name) => (await Deno.stat(join(folder, name))).mtime),
      ),
    ];
    const used = await state();
    const branched = [...UNLEARN.slice(0, -4), "--out", "new/place", "--device", "wasm"];
    const second = await runHere(
      "unlearn",
      [...branched, "--branch", "--reason", "a try", "--dry-run"],
      folder,
    );
    assertEquals(second.code, 0, second.err);
    assertEquals(await state(), used);
  }));

Deno.test("unlearn leaves a kit unused whose check refuses the photograph", () =>
  inTemporaryFolder(async (folder) => {
    await prepare(folder, 1, 1e-6);
    const before = names(folder);
    const refused = await runHere("unlearn", UNLEARN, folder);
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.err, "from its person");
    assertEquals(names(folder), before, "not marked");
  }));

Deno.test("noteOnCheck is silent of a check that catches nearly everybody, of one that is not asked for and of other methods", () =>
  inTemporaryFolder(async (folder) => {
    const choice = { method: "memory", seed: 0, set: {} } as const;
    const settings = { device: "wasm", microBatch: 1, choice } as const;
    const told = async (refusesOthers: number, more: Record<string, unknown> = {}) => {
      const at = join(folder, crypto.randomUUID());
      await Deno.mkdir(at);
      await prepare(at, 1, 2, [1], "all", refusesOthers);
      const terminal = recordedTerminal();
      await noteOnCheck({ kit: join(at, "kit"), settings: { ...settings, ...more } }, terminal);
      return terminal.noted.length;
    };
    assertEquals([await told(0.94), await told(0.96)], [1, 0]);
    assertEquals(await told(0.5, { matchCheck: false }), 0);
    assertEquals(await told(0.5, { choice: { ...choice, method: "metaunlearn" } }), 0);
  }));
