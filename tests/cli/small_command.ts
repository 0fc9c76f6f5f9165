import { command, main } from "../../cli/command/command.ts";
import { buildFolder, writeWhole } from "../../lib/files/write_whole.ts";
import { LetheError } from "../../lib/error.ts";

/** A command that ends in every way there is; main_test.ts runs it as a process of its own. */
export const small = command({
  name: "small",
  summary: "ends as it is told",
  options: {
    end: {
      kind: "choice",
      of: ["well", "audit", "lethe", "missing", "bug", "rejection", "never", "half", "flood"],
      default: "well",
      help: "how to end",
    },
  },
  examples: ["deno run small_command.ts --end well"],
  async run({ end }, terminal) {
    terminal.print("the result");
    terminal.note("about the run");
    switch (end) {
      case "well":
        return;
      case "audit":
        return 3;
      case "lethe":
        throw new LetheError("a.jpg is empty", "an image has bytes", "copy it again");
      case "missing":
        await Deno.readTextFile(new URL("no_such_file", import.meta.url));
        return;
      case "bug":
        throw new TypeError("x is not a function");
      case "rejection":
        Promise.reject(new Error("behind the back"));
        await new Promise((resolve) => setTimeout(resolve, 60_000));
        return;
      case "never":
        await new Promise((resolve) => setTimeout(resolve, 60_000));
        return;
      case "half":
        await buildFolder("out", async (staging) => {
          await writeWhole(`${staging}/inner/a`, "1");
          terminal.print("half made");
          await new Promise((resolve) => setTimeout(resolve, 60_000));
        });
        return;
      case "flood":
        for (let line = 0; line < 50_000; line++) terminal.print(`line ${line}`);
        return 3;
    }
  },
});

if (import.meta.main) await main(small);
