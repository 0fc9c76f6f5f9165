import { fromFileUrl } from "@std/path";
import { command, main } from "../cli/command/command.ts";
import { UsageError } from "../lib/error.ts";
import { keepResults } from "../lib/report/keep_results.ts";
import { writeTables } from "../lib/report/write_tables.ts";

const PROJECT = fromFileUrl(new URL("..", import.meta.url));

/** `deno task tables`: the results in the READMEs, from those kept in fixtures/results/. */
export const tables = command({
  name: "tables",
  summary: "writes the results kept in fixtures/results/ between the markers of the READMEs",
  options: {
    check: { kind: "flag", help: "change nothing; 1 if a README differs from the results" },
    keep: {
      kind: "path",
      takes: "results",
      value: "FILE",
      help: "first keep the means of a benchmark's results.json",
    },
    name: { with: ["keep"], kind: "text", value: "NAME", help: "with --keep: of the files" },
    ran: {
      with: ["keep"],
      kind: "text",
      value: "COMMAND",
      help: "with --keep: what was run, as one types it",
    },
    commit: {
      with: ["keep"],
      kind: "text",
      value: "HASH",
      help: "with --keep: the commit that was run",
    },
    machine: {
      with: ["keep"],
      kind: "text",
      value: "TEXT",
      help: "with --keep: processor, cores, other jobs",
    },
  },
  examples: [
    "deno task tables",
    "deno task tables --keep grid/results.json --name small --ran COMMAND --commit 0123abc --machine 2-cores",
  ],
  async run({ check, keep, name, ran, commit, machine }, terminal) {
    if (keep !== undefined) {
      if (!name || !ran || !commit || !machine) {
        throw new UsageError(
          "--keep alone",
          "a result says what was run, at which commit and where",
          "give --name, --ran, --commit and --machine with it",
        );
      }
      const date = new Date().toISOString().slice(0, 10);
      const origin = { command: ran, commit, machine, date };
      const files = await keepResults(PROJECT, keep, name, origin);
      terminal.print(`kept ${files.join(", ")}`);
    }
    const { stale, unused } = await writeTables(PROJECT, check);
    for (const file of stale) terminal.print(`${file} ${check ? "differs" : "is written anew"}`);
    for (const result of unused) terminal.note(`no README shows fixtures/results/${result}.json`);
    return check && stale.length > 0 ? 1 : 0;
  },
});

if (import.meta.main) await main(tables);
