import { command } from "../cli/command/command.ts";
import { mainContained } from "../cli/command/contained_main.ts";
import { whileMaking } from "../lib/files/kept_when_interrupted.ts";
import { SUPPORT_HELP, UNLEARN_OPTIONS } from "../cli/options/unlearn_options.ts";

/** `deno task unlearn`: Algorithm 1, unlearning, in a worker that can reach nothing else. */
export const unlearn = command({
  name: "unlearn",
  summary: "forgets the people of a folder of requests; reads the requests and the kit only",
  options: {
    support: {
      kind: "path",
      required: true,
      takes: "requests",
      value: "DIR",
      help: SUPPORT_HELP,
    },
    ...UNLEARN_OPTIONS,
    dryRun: {
      kind: "flag",
      help: "check the photographs and take the step, keep nothing; the kit stays unused",
    },
  },
  examples: [
    "deno task unlearn --support fixtures/requests",
    "deno task unlearn --support ./requests --kit ./kit --out ./unlearned",
    "deno task unlearn --support ./requests --kit ./kit --dry-run",
  ],
  // Loaded step by step: what the options decide, and then the kit, is answered before the rest is read.
  async run({ support, dryRun, ...options }, terminal) {
    using _told = whileMaking(options.out); // from here on, though it is claimed later
    const { unlearnOptions } = await import("../cli/unlearn/run_options.ts");
    const run = await unlearnOptions(support, options, terminal);
    const { noteOnCheck } = await import("../cli/unlearn/note_on_check.ts");
    await noteOnCheck(run, terminal);
    const [{ tryUnlearning, unlearnWithReceipt }, { printTrial, printUnlearned }] = await Promise
      .all([
        import("../lib/audit/receipt/unlearn_with_receipt.ts"),
        import("../cli/unlearn/print_unlearned.ts"),
      ]);
    const { noteOnPhotographs } = await import("../cli/unlearn/note_on_photographs.ts");
    if (dryRun) {
      printTrial(run, await tryUnlearning({ ...run, launcher: "tasks/unlearn.ts" }), terminal);
      await noteOnPhotographs(support, null, terminal);
      return;
    }
    const done = await unlearnWithReceipt({ ...run, launcher: "tasks/unlearn.ts" });
    printUnlearned(run, done, terminal);
    await noteOnPhotographs(support, done.receipt, terminal);
    const failed = done.receipt.layers.filter(({ state }) => state === "failed");
    for (const { layer, detail } of failed) terminal.note(`failed: ${layer}: ${detail}`);
    return failed.length > 0 ? 3 : 0;
  },
});

if (import.meta.main) await mainContained(unlearn, "tasks/unlearn.ts");
