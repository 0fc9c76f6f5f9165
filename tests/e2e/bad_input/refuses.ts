import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Command, execute } from "../../../cli/command/command.ts";
import type { OptionTable } from "../../../cli/command/options.ts";
import { recordedTerminal } from "../../cli/recorded_terminal.ts";
import { inCopy, tree } from "../small_path.ts";
import type { Spoil } from "./spoil.ts";

/**
 * What is wrong; what the error's line says, naming the file (`@` is the folder, ` .. ` anything); what
 * makes it so; the exit code, where it is another than the list's.
 */
export type Bad = readonly [what: string, says: string, spoil?: Spoil, exitCode?: number];

/**
 * Registers a test with one step per kind of bad input: the task ends with `exitCode` and one line of
 * value, rule and remedy, and the folder holds what it held before.
 *
 * The task runs in this process, which spares its start.
 */
export function refuses(
  name: string,
  task: Command<OptionTable>,
  args: string,
  cases: readonly Bad[],
  exitCode = 1,
): void {
  const check = ([what, says, spoil, ends = exitCode]: Bad) =>
    inCopy(async (folder) => {
      await spoil?.(folder);
      const here = (text: string) => text.replaceAll("@", `${folder}/`);
      const [before, terminal] = [await tree(folder), recordedTerminal()];
      assertEquals(await execute(task, here(args).split(" "), terminal), ends, what);
      const line = terminal.noted.at(-1)!;
      assertMatch(line, /^lethe: [^\n]+; [^\n]+: [^\n]+$/, "value; rule: remedy");
      for (const part of here(says).split(" .. ")) assertStringIncludes(line, part);
      assertEquals(terminal.noted.filter((note) => note.startsWith("lethe:")), [line]);
      assertEquals(await tree(folder), before, "nothing is left behind");
    });
  Deno.test({
    name,
    // tfjs keeps its WASM heap.
    sanitizeResources: false,
    sanitizeOps: false,
    async fn(test) {
      for (const bad of cases) await test.step(bad[0], () => check(bad));
    },
  });
}
