import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { claimOutput } from "../../lib/files/claim_output.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { runHere } from "./run_here.ts";
import type { TaskName } from "./run_task.ts";
import { names, smallModel } from "./small_path.ts";

const DATA = "--split split.json --data portraits --model model".split(" ");
const SAMPLE = fromFileUrl(new URL("../../fixtures/requests", import.meta.url));

/** Every task that makes a file or folder, with what it needs besides. */
const MAKERS: readonly [TaskName, readonly string[], string][] = [
  ["portraits", ["--identities", "2", "--images-per-identity", "2"], "--out"],
  ["split", ["--dataset", "celeba", "--data", "portraits", "--forget", "3"], "--out"],
  [
    "split",
    ["--dataset", "celeba", "--data", "portraits", "--forget", "3", "--out", "new.json"],
    "--requests",
  ],
  ["train", DATA.slice(0, 4), "--out"],
  ["import", ["--weights", "model", "--labels", "A"], "--out"],
  ["meta-learn", DATA, "--out"],
  ["unlearn", ["--support", SAMPLE], "--out"],
  ["audit", ["--support", SAMPLE], "--out"],
  ["unlearn-with-data", [...DATA, "--method", "scrub"], "--out"],
  ["export", ["--model", "model"], "--onnx"],
  ["demo", [], "--out"],
];

const DATA_NAMES = ["split.json", "portraits", "model"];

for (const [task, args, option] of MAKERS) {
  Deno.test(`${task} ${option} is refused before anything is computed where another run makes it`, () =>
    inTemporaryFolder(async (folder) => {
      const data = await smallModel();
      const words = args.map((word) => DATA_NAMES.includes(word) ? join(data, word) : word);
      using _claim = await claimOutput(join(folder, "out"));
      const { code, out, err } = await runHere(task, [...words, option, "out"], folder);
      assertEquals([code, out.replace(/^kit: .*\n/, "")], [1, ""], err);
      assertMatch(err, /^lethe: out is being made by process \d+[^\n]*\n$/);
      assertEquals(names(folder), [".out.claim.0"], "nothing is left");
    }));
}
