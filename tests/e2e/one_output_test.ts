import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { claimOutput } from "../../lib/files/claim_output.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { runHere } from "./run_here.ts";
import type { TaskName } from "./run_task.ts";

const DATA = "--split split.json --data portraits --model model".split(" ");
const LONG: readonly [TaskName, readonly string[]][] = [
  ["train", DATA.slice(0, 4)],
  ["meta-learn", DATA],
  ["unlearn-with-data", [...DATA, "--method", "scrub"]],
  ["demo", []],
];

for (const [task, args] of LONG) {
  Deno.test(`${task} is refused before it reads anything where another run makes its output`, () =>
    inTemporaryFolder(async (folder) => {
      using _claim = await claimOutput(join(folder, "out"));
      const { code, out, err } = await runHere(task, [...args, "--out", "out"], folder);
      assertEquals([code, out], [1, ""]);
      assertMatch(err, /^lethe: out is being made by process \d+[^\n]*\n$/);
    }));
}
