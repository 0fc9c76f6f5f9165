import { assert, assertEquals } from "@std/assert";
import { named } from "../../cli/command/command.ts";
import { parseOptions } from "../../cli/command/parse.ts";
import { sbatchOptions } from "../../lib/benchmark/cluster/slurm_grid.ts";
import manifest from "../../deno.json" with { type: "json" };
import { HOUSEKEEPING, TASKS } from "./all_tasks.ts";
import type { TaskName } from "./run_task.ts";
import { commandBlocks, MARKS, readmes } from "../written_commands.ts";

/** Parses `deno task NAME ..`; throws where the task or an option of it does not exist. */
function parse(line: string): void {
  const [name, ...args] = sbatchOptions(line.replace(/^.*? task /, "")); // as a shell splits it
  if (HOUSEKEEPING.includes(name)) return;
  assert(Object.hasOwn(TASKS, name), `${line}: no such task`);
  const { options, operand } = TASKS[name as TaskName];
  parseOptions(options, named(operand, args));
}

Deno.test("READMEs name only commands and tasks that there are", async () => {
  const blocks = (await Promise.all((await readmes()).map(commandBlocks))).flat();
  const lines = blocks.flatMap(({ lines }) => lines);
  assert(lines.length >= 20, "they are found");
  for (const line of lines.filter((line) => / task /.test(line))) parse(line);
  assertEquals(blocks.filter(({ needs }) => !MARKS.includes(needs)), [], "marks that there are");
  const text = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const rows = [...text.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, name]) => name);
  assertEquals(rows.toSorted(), Object.keys(TASKS).toSorted(), "the table of tasks");
});

Deno.test("help's examples are commands that parse, and deno.json's tasks are those with help", () => {
  const tasks = Object.keys(manifest.tasks).filter((name) => !HOUSEKEEPING.includes(name));
  assertEquals(tasks.toSorted(), Object.keys(TASKS).toSorted());
  for (const [task, { name, examples }] of Object.entries(TASKS)) {
    assertEquals(name, task);
    // `..` stands for what an earlier example gives.
    for (const example of examples) {
      const [first] = examples;
      parse(example.replace(/^deno task \S+ \.\./, first));
    }
  }
});
