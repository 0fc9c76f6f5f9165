import { command, main } from "../../cli/command/command.ts";
import { printResult } from "../../cli/output/print_result.ts";
import { claimOutput } from "../../lib/files/claim_output.ts";
import { finishBeforeExit } from "../../lib/files/finish_before_exit.ts";
import { whileMaking } from "../../lib/files/kept_when_interrupted.ts";
import { buildFolder, writeWhole } from "../../lib/files/write_whole.ts";

/** Sends this process a signal, and waits until it has come. */
async function interrupt(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGINT", resolve); // after the command's own
  Deno.kill(Deno.pid, "SIGINT");
  await promise;
  await new Promise((resolve) => setTimeout(resolve)); // the command's has been followed
}

/** Moments of a command that makes `out`, or prints figures; late_signal_test.ts runs it in each. */
export const late = command({
  name: "late",
  summary: "is interrupted at one moment",
  options: {
    at: {
      kind: "choice",
      of: ["before", "finishing", "state", "made", "let go", "printed", "figures", "no figures"],
      default: "before",
      help: "when",
    },
  },
  examples: ["deno run late_command.ts --at made"],
  async run({ at }, terminal) {
    if (at === "figures" || at === "no figures") {
      using _told = whileMaking(null);
      if (at === "no figures") await interrupt();
      let sent = false;
      const value = {
        toJSON() {
          if (!sent && at === "figures") Deno.kill(Deno.pid, "SIGINT");
          sent = true;
          return 1;
        },
      };
      return await printResult(terminal, "out", value, ["figures"]);
    }
    const build = async (folder: string) => {
      await Deno.writeTextFile(`${folder}/a`, "1");
      if (at === "before") await interrupt();
    };
    {
      using _claim = await claimOutput("out", ["state"]);
      if (at === "state") {
        await finishBeforeExit(async () => {
          await interrupt();
          await writeWhole("state", "1");
        });
      }
      if (at === "finishing") {
        await finishBeforeExit(async () => {
          await interrupt();
          await buildFolder("out", build);
        });
      } else await buildFolder("out", build);
      if (at === "made") await interrupt();
    }
    if (at === "let go") await interrupt();
    terminal.print("out: made");
    if (at === "printed") await interrupt();
  },
});

if (import.meta.main) await main(late);
