import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { shell } from "../../lib/audit/sandbox/shell.ts";
import { names } from "../e2e/small_path.ts";
import { taskLine } from "../e2e/run_task.ts";
import { HAS_BUBBLEWRAP } from "../e2e/attacks/abilities.ts";
import { type PatchedCopy, withPatchedCopy } from "../e2e/attacks/patched_copy.ts";

const UNLEARN = "--support requests --kit kit --branch --reason trial --device wasm --out new"
  .split(" ");

/** Starts an unlearning run whose worker never ends, and waits until it is at work. */
async function atWork({ folder, lethe }: PatchedCopy, sandbox: string) {
  const { flags, first } = taskLine("unlearn");
  const child = new Deno.Command(Deno.execPath(), {
    args: [...flags, join(lethe, "tasks/start.js"), ...first, ...UNLEARN, "--sandbox", sandbox],
    cwd: folder,
    env: { TMPDIR: join(folder, "t"), NO_COLOR: "1", LETHE_DEBUG: "" },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  for (let said = ""; !said.includes("device: ");) {
    const { value, done } = await reader.read();
    if (done) throw new Error(said);
    said += value;
  }
  return { child, reader };
}

/** Processes whose command line names this folder's job. */
async function alive(folder: string): Promise<string[]> {
  const look = 'grep -lzE "$1/t/lethe-run-[0-9a-f]+/job" /proc/[0-9]*/cmdline 2>/dev/null; exit 0';
  const { out } = await shell(look, folder);
  return out.split("\n").filter((line) => line !== "");
}

// Attack 14, and `kill -9`, which no process can answer itself.
Deno.test({
  name: "unlearn leaves no worker and no file, whatever signal ends it",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withPatchedCopy(async (copy) => {
      const { folder, patch } = copy;
      await patch(
        "lib/audit/sandbox/unlearn_worker.ts",
        "    return device;",
        "    await new Promise((go) => setTimeout(go, 1e9));\n    return device;",
      );
      await Deno.mkdir(join(folder, "t"));
      const before = names(folder);
      const left = async () => [
        ...await alive(folder),
        ...names(join(folder, "t")),
        ...names(folder).filter((name) => !before.includes(name)),
      ];
      for (
        const [signal, exitCode, sandbox] of [
          ["SIGINT", 130, "deno"],
          ["SIGHUP", 129, "deno"],
          ["SIGTERM", 143, HAS_BUBBLEWRAP ? "os" : "deno"],
          ["SIGKILL", 137, "deno"],
          ["SIGKILL", 137, HAS_BUBBLEWRAP ? "os" : "deno"],
        ] as const
      ) {
        const { child, reader } = await atWork(copy, sandbox);
        assertEquals((await left()).length > 2, true, "the control: worker and folders are there");
        child.kill(signal);
        assertEquals((await child.status).code, exitCode, signal);
        // Who is killed outright leaves the rest to its warden, in no set time.
        for (let i = 0; i < 300 && signal === "SIGKILL" && (await left()).length > 0; i++) {
          await new Promise((go) => setTimeout(go, 100));
        }
        assertEquals(await left(), [], `${signal}, ${sandbox}`);
        await reader.cancel();
      }
    }),
});
