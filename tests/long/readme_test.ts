import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { shellEnvironment } from "../e2e/run_task.ts";
import { copy } from "../e2e/small_path.ts";
import { commandBlocks, readmes } from "../written_commands.ts";
import { needing } from "../machine.ts";

const PROJECT = fromFileUrl(new URL("../../", import.meta.url));
/** What a clone holds that commands need. */
const CLONE = ["cli", "lib", "tasks", "fixtures", "deno.json", "deno.lock", "mod.ts"];
/** CI runs these word for word, as the reader does, with npx. */
const BY_CI = ["npx -y deno@2.9.6 task demo", "npx -y deno@2.9.6 task test"];

const pasted = "READMEs' commands, pasted one after another into a fresh clone, all end well";

Deno.test(
  needing("POSIX shell", Deno.build.os !== "windows", pasted),
  () =>
    inTemporaryFolder(async (temporary) => {
      const clone = join(temporary, "lethe");
      for (const part of CLONE) await copy(join(PROJECT, part), join(clone, part));
      const blocks = (await Promise.all((await readmes()).map(commandBlocks))).flat();
      const lines = blocks.filter(({ needs }) => needs === "").flatMap(({ lines }) => lines)
        .filter((line) => !BY_CI.includes(line));
      for (const line of lines) {
        const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
          args: ["-c", line],
          cwd: clone,
          clearEnv: true,
          env: shellEnvironment(),
          stdin: "null",
        }).output();
        const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
        assertEquals(code, 0, `${line}\n${said}`);
        console.log(`ran: ${line}`);
      }
    }),
);
