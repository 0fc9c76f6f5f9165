import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { execute } from "../../cli/command/command.ts";
import { type Input, INPUTS } from "../../cli/command/input_kinds.ts";
import { checkInput } from "../../cli/command/inputs.ts";
import { optionName, type OptionRow, type OptionTable } from "../../cli/command/options.ts";
import { UsageError } from "../../lib/error.ts";
import { pathKind } from "../../lib/files/path_kind.ts";
import { inTemporaryFolder, writeFiles } from "../data/temporary_folder.ts";
import { TASKS } from "../e2e/all_tasks.ts";
import { recordedTerminal } from "./recorded_terminal.ts";

const OLD = fromFileUrl(new URL("../../fixtures/4832d1b", import.meta.url));
const at = (name: string) => join(OLD, name);

/** Options that name what a task makes, or what may be there or not. */
const MADE = ["out", "requests", "pack", "confirm", "newKey", "onnx", "history"]
  // The first is an output too; the second may be `fetch`.
  .concat("benchmark plan", "audit packages");

/** Something of the kind that a row takes; for rows that name no input anything of their kind. */
function anything(row: OptionRow): string {
  if (row.kind === "choice") return row.of[0];
  if (row.kind === "integer" || row.kind === "number") return String(row.min ?? 1);
  const there = { model: "unlearned/model", split: "split.json", kit: "kit", grid: "" };
  const takes = "takes" in row ? row.takes : undefined;
  if (takes === "receipt") return at("unlearned/receipt.json");
  if (takes === undefined) return "new";
  return at(there[takes as keyof typeof there] ?? "requests");
}

/** A command line on which all that the option needs is there, and the option names `path`. */
function line(table: OptionTable, key: string, path: string): string[] {
  const needed = new Set(
    Object.keys(table).filter((other) =>
      table[other].required || "takes" in table[other] && "default" in table[other]
    ),
  );
  const args = [`${optionName(key)}=${path}`];
  for (let other = table[key].with?.[0]; other !== undefined; other = table[other]?.with?.[0]) {
    needed.add(other);
  }
  if ("support" in table) needed.add("support"); // audit asks for it by itself
  needed.delete(key);
  for (const other of needed) {
    const row = table[other];
    // `--memory` is a text with a default.
    const value = other === "memory" ? "full" : row.kind === "json" ? "-" : anything(row);
    args.push(row.kind === "flag" ? optionName(other) : `${optionName(other)}=${value}`);
  }
  return args;
}

Deno.test("every task refuses an input that is not there before anything else, as wrong usage, in the same words", async () => {
  for (const [task, command] of Object.entries(TASKS)) {
    for (const [key, row] of Object.entries(command.options)) {
      const takes = "takes" in row ? row.takes : undefined;
      const isMade = MADE.includes(key) || MADE.includes(`${task} ${key}`);
      if (row.kind === "path") {
        assertEquals(takes === undefined, isMade, `${task} ${optionName(key)}`);
      }
      if (takes === undefined || INPUTS[takes].made) continue;
      const terminal = recordedTerminal();
      const code = await execute(command, line(command.options, key, "none/there"), terminal);
      const said = terminal.noted.join("\n");
      assertEquals([code, terminal.printed], [2, []], `${task} ${optionName(key)}: ${said}`);
      const { a } = INPUTS[takes];
      assertEquals(
        said.startsWith(`lethe: none/there does not exist; ${optionName(key)} names ${a}: `),
        true,
        said,
      );
    }
  }
});

Deno.test("every task with --json FILE refuses a file that is there before anything else", async () => {
  let asked = 0;
  for (const [task, command] of Object.entries(TASKS)) {
    for (const [key, row] of Object.entries(command.options)) {
      if (row.kind !== "json") continue;
      asked++;
      const terminal = recordedTerminal();
      const file = at("split.json");
      const code = await execute(command, line(command.options, key, file), terminal);
      assertEquals([code, terminal.printed], [1, []], `${task}: ${terminal.noted}`);
      const rule = `lethe: ${file} exists; an output is not written over unasked: give --json`;
      assertEquals(terminal.noted[0].startsWith(rule), true, `${task}: ${terminal.noted}`);
    }
  }
  assert(asked >= 5, `${asked} tasks`);
});

Deno.test("benchmark refuses a model, a kit or a file as the folder of a grid", async () => {
  for (
    const [out, what] of [["unlearned/model", "a model"], ["kit", "a kit"], ["split.json", "a"]]
  ) {
    for (const more of [[], [`--plan=${at("never.json")}`]]) {
      const terminal = recordedTerminal();
      const args = ["--preset", "small", "--device", "wasm", "--out", at(out), ...more];
      assertEquals(await execute(TASKS.benchmark, args, terminal), 2);
      assertEquals(terminal.noted.at(-1)?.startsWith(`lethe: ${at(out)} is ${what}`), true);
    }
  }
});

Deno.test("every task that takes a model refuses a kit, an output, a split, a receipt or requests in its place, and says what it is", async () => {
  const others = {
    kit: /is a kit; --[a-z-]+ names a model folder[^:]*: name the model that it was made from /,
    "unlearned/kit": /is a kit; .*did you mean .*\/unlearned\/model\?$/,
    unlearned: /is an output folder of unlearn; .*did you mean .*\/unlearned\/model\?$/,
    requests: /is a folder of requests; /,
    "split.json": /is a split; /,
    "unlearned/receipt.json": /is a receipt; /,
  };
  let tried = 0;
  for (const { options, ...command } of Object.values(TASKS)) {
    for (const [key, row] of Object.entries(options)) {
      if (!("takes" in row) || row.takes !== "model" && row.takes !== "weights") continue;
      for (const [path, says] of Object.entries(others)) {
        const terminal = recordedTerminal();
        const code = await execute({ options, ...command }, line(options, key, at(path)), terminal);
        assertEquals(code, 2, `${command.name} ${path}`);
        assertMatch(terminal.noted.join("\n"), says);
        tried++;
      }
    }
  }
  assert(tried >= 60);
});

Deno.test("benchmark and benchmark-slurm refuse a grid's plan that is not there as wrong usage", () =>
  inTemporaryFolder(async (folder) => {
    const out = join(folder, "none");
    for (
      const [task, ...args] of [
        ["benchmark", "--collect", "--out", out],
        ["benchmark", "--stage", "x", "--out", out],
        ["benchmark-slurm", "--status", "--out", out],
        ["benchmark-slurm", "--cancel", "--out", out],
        ["benchmark-slurm", "--out", out],
      ] as const
    ) {
      const terminal = recordedTerminal();
      assertEquals(await execute(TASKS[task], args, terminal), 2);
      assertMatch(terminal.noted.join(), /^lethe: [^\n]*none\/jobs\.json does not exist; /);
    }
  }));

Deno.test("benchmark and benchmark-slurm refuse two orders at once", async () => {
  for (
    const [task, ...args] of [
      ["benchmark", "--collect", "--stage", "x"],
      ["benchmark-slurm", "--status", "--cancel", "--out", "grid"],
    ] as const
  ) {
    const terminal = recordedTerminal();
    assertEquals(await execute(TASKS[task], args, terminal), 2);
    assertMatch(terminal.noted.join(), /^lethe: [^\n]* are both given; [^\n]*give one of them/);
  }
});

Deno.test("checkInput tells what lies close by: a model's kit, an output's receipt, a name misspelt", () =>
  inTemporaryFolder(async (folder) => {
    const refused = (path: string, input: keyof typeof INPUTS) =>
      checkInput("--it", path, input).then(() => "taken", (error) => {
        assert(error instanceof UsageError);
        return error.message;
      });
    assertMatch(await refused(at("unlearned"), "kit"), /did you mean .*unlearned\/kit\?$/);
    assertMatch(await refused(at("unlearned"), "receipt"), /mean .*unlearned\/receipt.json\?$/);
    assertMatch(await refused(at("unlearned/model"), "kit"), /mean .*unlearned\/kit\?$/);
    assertMatch(
      await refused(at("kti"), "kit"),
      /does not exist; .*did you mean .*4832d1b\/kit\?$/,
    );
    assertMatch(await refused(at("kit"), "data"), /is a kit; --it names a data set's folder/);
    await writeFiles(folder, { "a.zip": "x", "b.json": "{}", "my kits/x": "" });
    assertMatch(await refused(join(folder, "a.zip"), "data"), /is a file; --it names a data set/);
    const photograph = await refused(at("requests/2.png"), "requests");
    assertMatch(photograph, /is a picture; .*did you mean .*4832d1b\/requests, where it lies\?$/);
    assertMatch(await refused(folder, "split"), /is a folder; --it names a split: make one/);
    assertMatch(await refused(join(folder, "my own"), "kit"), /meta-learn --out 'my own'$/);
    // What no sign tells is its reader's.
    assertEquals(await refused(join(folder, "b.json"), "split"), "taken");
    for (const [name, input] of [["config.json", "model"], ["model.safetensors", "kit"]] as const) {
      await writeFiles(folder, { [`damaged ${input}/${name}`]: "{}" });
      assertEquals(await refused(join(folder, `damaged ${input}`), input), "taken");
    }
  }));

Deno.test("checkInput says what a file is that was named for another, and where it belongs", () =>
  inTemporaryFolder(async (folder) => {
    const { options } = TASKS.train;
    const refused = (path: string, input: Input, table: OptionTable = options) =>
      checkInput("--it", path, input, table).then(() => "taken", (error) => {
        assert(error instanceof UsageError);
        return error.message.slice(path.length + 1);
      });
    const A_KIT = "--it names a kit, which meta-learn writes: ";
    const unlearnOptions = TASKS.unlearn.options;
    assertEquals(
      await refused(at("split.json"), "kit", unlearnOptions),
      `is a split; ${A_KIT}it belongs to --split`,
    );
    for (const name of ["config.json", "kit.json", "meta_loss.safetensors"]) {
      const message = await refused(at(`kit/${name}`), "kit", unlearnOptions);
      assertMatch(message, /^is a file of (a kit|weights); /, name);
      assertEquals(message.endsWith(`: did you mean ${at("kit")}, where it lies?`), true, message);
    }
    assertEquals(
      await refused(at("unlearned/model/config.json"), "split"),
      `is a file of a model; --it names a split: ${
        at("unlearned/model")
      }, its folder, belongs to --init`,
    );
    const index = join(folder, "split.json.index");
    await Deno.copyFile(at("split.json"), join(folder, "split.json"));
    await writeFiles(folder, { "split.json.index": "LTHE" });
    assertMatch(await refused(index, "split"), /^is a split's index; .*mean .*\/split\.json\?$/);
    assertMatch(
      await refused(at("split.json"), "model"),
      /^is a split; .*: it belongs to --split$/,
    );
    assertMatch(await refused(at("requests/2.png"), "split"), /^is a picture; .*: name a split$/);
  }));

Deno.test("every task refuses an empty folder in an input's place as it refuses one that is not there", () =>
  inTemporaryFolder(async (folder) => {
    let tried = 0;
    for (const [task, command] of Object.entries(TASKS)) {
      for (const [key, row] of Object.entries(command.options)) {
        const takes = "takes" in row ? row.takes as Input : undefined;
        if (takes === undefined || INPUTS[takes].made) continue;
        const terminal = recordedTerminal();
        const code = await execute(command, line(command.options, key, folder), terminal);
        const said = terminal.noted.join("\n");
        assertEquals([code, terminal.printed], [2, []], `${task} ${optionName(key)}: ${said}`);
        assertMatch(said, /^lethe: \S+ (?:is empty|is a folder|holds no results\.json); /);
        tried++;
      }
    }
    assert(tried > 50, `${tried}`);
    const command = TASKS.train;
    await writeFiles(folder, { "a file": "x" });
    const terminal = recordedTerminal();
    const args = line(command.options, "cache", join(folder, "a file"));
    assertEquals(await execute(command, args, terminal), 2);
    assertMatch(terminal.noted.join(), /is a file; --cache names a folder for decoded images/);
  }));

Deno.test("checkInput names the kit or model within a folder that holds one and is none", () =>
  inTemporaryFolder(async (folder) => {
    for (const [name, content] of [["kit", "kit.json"], ["model", "config.json"]] as const) {
      await writeFiles(folder, { [`${name}/${content}`]: "{}", [`${name}/model.safetensors`]: "" });
      const refused = checkInput("--it", folder, name);
      await assertRejects(() => refused, UsageError, `did you mean ${join(folder, name)}?`);
    }
  }));

Deno.test(
  "pathKind opens no pipe and lists no folder",
  { ignore: Deno.build.os === "windows" },
  () =>
    inTemporaryFolder(async (folder) => {
      const pipe = join(folder, "split.json");
      await new Deno.Command("mkfifo", { args: [pipe] }).output();
      assertEquals(await pathKind(pipe), null);
      assertEquals(await pathKind(join(folder, "none")), null);
      assertEquals(await pathKind(at("split.json")), "split");
      assertEquals(await pathKind(at("unlearned")), "output folder");
    }),
);

Deno.test("checkInput tells a sigstore bundle from a receipt, and names the one beside it", () =>
  inTemporaryFolder(async (folder) => {
    const receipt = await Deno.readTextFile(at("unlearned/receipt.json"));
    const bundle = '{\n  "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"\n}\n';
    await writeFiles(folder, {
      ...{ "u/summary.json": "{}", "u/model/config.json": "{}", "u/kit/kit.json": "{}" },
      ...{ "u/receipt.json": receipt, "u/receipt.sigstore.json": bundle, "alone.json": bundle },
    });
    const refuses = (name: string, remedy: string) =>
      assertRejects(
        () => checkInput("--verify", join(folder, name), "receipt"),
        UsageError,
        `${name} is a sigstore bundle; --verify names a receipt.json or a pack: ${remedy}`,
      );
    await refuses("u/receipt.sigstore.json", `did you mean ${join(folder, "u/receipt.json")}?`);
    await refuses("alone.json", "name a receipt.json or a pack");
  }));
