import { command, main } from "../cli/command/command.ts";
import { progress } from "../cli/output/progress.ts";
import { printResult } from "../cli/output/print_result.ts";
import { JSON_RESULT } from "../cli/options/shared_options.ts";
import { table } from "../cli/output/table.ts";
import { DATASET_NAMES } from "../lib/data/sample.ts";
import { inspectPath } from "../lib/inspect/inspect_path.ts";

/** `deno task inspect`: what something is. */
export const inspect = command({
  name: "inspect",
  summary:
    "tells what a data set, requests, a split, model, kit, output folder, receipt, pack, ledger, benchmark grid or key is",
  operand: "path",
  options: {
    path: {
      kind: "path",
      required: true,
      takes: "anything",
      help: "what to look at; --path may be left out",
    },
    dataset: { kind: "choice", of: DATASET_NAMES, help: "the layout, where the files do not tell" },
    json: JSON_RESULT,
  },
  examples: [
    "deno task inspect kit",
    "deno task inspect split.json --json",
  ],
  async run({ path, dataset, json }, terminal) {
    const show = progress(terminal);
    const found = await inspectPath(path, {
      ...(dataset === undefined ? {} : { dataset }),
      onProgress: (done, total) => show({ stage: "check", done, total, unit: "images" }),
    });
    await printResult(terminal, json, { path, ...found.value, notes: found.notes }, [
      ...table([found.kind, path], found.rows),
      ...found.notes,
    ]);
  },
});

if (import.meta.main) await main(inspect);
