import { fromFileUrl } from "@std/path";
import { BENCH_OPTIONS, benchSettings } from "../cli/options/bench_options.ts";
import { benchTables } from "../cli/output/bench_tables.ts";
import { command, main } from "../cli/command/command.ts";
import { printResult } from "../cli/output/print_result.ts";
import { progress } from "../cli/output/progress.ts";
import { openAndAnnounce, PRECISION } from "../cli/options/shared_options.ts";
import { bench as measure, BENCH_PARTS, type BenchPart } from "../lib/bench/bench.ts";
import { appendHistory, benchRun, commitOf } from "../lib/bench/history.ts";
import { listFolder } from "../lib/files/list_folder.ts";
import { writeWhole } from "../lib/files/write_whole.ts";
import { TRAINING_RECIPES } from "../lib/model/recipes.ts";
import { benchHistoryFigure } from "../lib/report/bench_history_figure.ts";

/** `deno task bench`: how fast this adapter runs, against stock tfjs in the same run. */
export const bench = command({
  name: "bench",
  summary: "times steps, kernels and input on this adapter against stock tfjs, by turns",
  options: {
    parts: { kind: "list", of: BENCH_PARTS, default: BENCH_PARTS, help: "what to measure" },
    support: { kind: "integer", min: 1, max: 4096, default: 8, help: "N_S: people per request" },
    ...BENCH_OPTIONS,
    precision: PRECISION,
    history: {
      kind: "path",
      value: "FILE",
      help: "a JSON file of earlier runs: add this one, and draw all beside it as .svg",
    },
  },
  examples: [
    "deno task bench",
    "deno task bench --device wasm --json",
    "deno task bench --parts steps --history bench.json",
    "deno task bench --preset vit_base_patch16_224 --batch 1 --parts kernels",
  ],
  async run(options, terminal) {
    const { parts, support, json } = options;
    const root = fromFileUrl(new URL("../fixtures/requests", import.meta.url));
    const entries = await listFolder(root, "restore the repository's own pictures");
    const device = await openAndAnnounce(options.device, terminal, options.precision);
    const report = await measure({
      device,
      ...benchSettings(options, support),
      parts: parts as readonly BenchPart[],
      input: {
        root,
        files: entries.map(({ name }) => name).filter((name) => name.endsWith(".png")),
        recipe: TRAINING_RECIPES.find(({ name }) => name === "photos-from-scratch")!,
      },
      onProgress: progress(terminal),
    });
    if (options.history !== undefined) {
      const project = fromFileUrl(new URL("..", import.meta.url));
      const run = benchRun(report, new Date(), await commitOf(project));
      const runs = await appendHistory(options.history, run);
      const drawing = options.history.replace(/\.json$/, "") + ".svg";
      await writeWhole(drawing, benchHistoryFigure(runs));
      terminal.note(`${options.history}: ${runs.length} runs, drawn in ${drawing}`);
    }
    await printResult(terminal, json ? "-" : undefined, report, benchTables(report));
  },
});

if (import.meta.main) await main(bench);
