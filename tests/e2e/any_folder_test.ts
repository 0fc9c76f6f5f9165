import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { needing } from "../machine.ts";
import { shellEnvironment } from "./run_task.ts";
import { names } from "./small_path.ts";

const PROJECT = fromFileUrl(new URL("../../", import.meta.url));
const DRAW = ["--identities", "2", "--images-per-identity", "1", "--size", "16"];

/** Runs a program in a folder, with this Deno first on the PATH. */
async function runIn(folder: string, program: string, ...args: readonly string[]) {
  return await runWith({}, folder, program, ...args);
}

async function runWith(
  more: Record<string, string>,
  folder: string,
  program: string,
  ...args: readonly string[]
) {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd: folder,
    clearEnv: true,
    env: { ...shellEnvironment(), ...more },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("a task's paths are relative to the folder in which it is called, and nothing lands in the clone", () =>
  inTemporaryFolder(async (temporary) => {
    const folder = join(await Deno.realPath(temporary), 'a user\'s "folder"');
    await Deno.mkdir(folder);
    const before = names(PROJECT);
    const config = ["--config", join(PROJECT, "deno.json")];
    const line = ["task", "--quiet", ...config, "portraits", ...DRAW, "--out", "drawn"];
    const ended = await runIn(folder, Deno.execPath(), ...line);
    assertEquals(ended.code, 0, ended.err);
    assertEquals([names(folder), names(PROJECT)], [["drawn"], before]);
  }));

const starter = (name: string) =>
  needing("sh with readlink -f", Deno.build.os !== "windows", `lethe ${name}`);

Deno.test(
  starter("COMMAND runs the task from any folder, through a link on the PATH too"),
  () =>
    inTemporaryFolder(async (temporary) => {
      const folder = await Deno.realPath(temporary);
      await Deno.symlink(join(PROJECT, "cli/lethe"), join(folder, "lethe"));
      const before = names(PROJECT);
      const drawn = await runIn(folder, "./lethe", "portraits", ...DRAW, "--out", "two words");
      assertEquals(drawn.code, 0, drawn.err);
      assertEquals([names(folder), names(PROJECT)], [["lethe", "two words"], before]);
      const wrong = await runIn(folder, "./lethe", "portraits", "--ot", "x");
      assertEquals(wrong.code, 2);
      assertMatch(wrong.err, /^lethe: --ot is no option [^\n]*did you mean --out\?\n$/);
    }),
);

Deno.test(
  starter("takes paths from where one stands, not from where an npm script around it began"),
  () =>
    inTemporaryFolder(async (temporary) => {
      const folder = await Deno.realPath(temporary);
      const within = join(folder, "within");
      await Deno.mkdir(within);
      const script = join(PROJECT, "cli/lethe");
      const line = ["portraits", ...DRAW, "--out", "drawn"];
      const drawn = await runWith({ INIT_CWD: folder }, within, script, ...line);
      assertEquals(drawn.code, 0, drawn.err);
      assertEquals([names(folder), names(within)], [["within"], ["drawn"]]);
    }),
);

Deno.test(
  starter("adds no permission to those that deno.json gives the task"),
  () =>
    inTemporaryFolder(async (folder) => {
      // The script hands the whole line to `deno task`, and names no permission itself.
      const script = await Deno.readTextFile(join(PROJECT, "cli/lethe"));
      assertEquals(/--allow|-A\b/.test(script), false);
      const { code, out } = await runIn(folder, join(PROJECT, "cli/lethe"), "selfcheck", "--help");
      assertEquals(code, 0);
      assertStringIncludes(out, "deno task selfcheck:");
    }),
);

Deno.test(
  starter("without a command of its own lists them, or names the nearest one"),
  () =>
    inTemporaryFolder(async (folder) => {
      const lethe = (...args: string[]) => runIn(folder, join(PROJECT, "cli/lethe"), ...args);
      const help = await lethe("--help");
      assertEquals(help.code, 0);
      for (const name of ["train", "unlearn", "bench-pytorch"]) {
        assertStringIncludes(help.out, `\n  ${name}\n`);
      }
      assertEquals(/\n {2}(test|fmt)\n/.test(help.out), false, "housekeeping is no command");
      const none = await lethe();
      assertEquals([none.code, none.out], [2, ""]);
      const near = await lethe("unlern", "--support", "x");
      assertEquals([near.code, near.err], [
        2,
        "lethe: unlern is no command; its commands are tasks of deno.json: did you mean unlearn?\n",
      ]);
      // Each would be one, were it taken for a pattern.
      for (const word of ["unl.*", "[a-z]*", "spli.", "", "split\ntrain"]) {
        const { code, out, err } = await lethe(word, "--help");
        assertEquals([code, out], [2, ""], word);
        assertStringIncludes(err, " is no command");
      }
    }),
);
