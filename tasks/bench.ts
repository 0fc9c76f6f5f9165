import { fromFileUrl } from "@std/path";
import { BENCH_OPTIONS, benchSettings } from "../cli/bench_options.ts";
import { benchTables } from "../cli/bench_tables.ts";
import { command, main } from "../cli/command.ts";
import { printResult } from "../cli/print_result.ts";
import { progress } from "../cli/progress.ts";
import { openAndAnnounce, PRECISION } from "../cli/shared_options.ts";
import { bench as measure, BENCH_PARTS, type BenchPart } from "../lib/bench/bench.ts";
import { listFolder } from "../lib/files/list_folder.ts";
import { TRAINING_RECIPES } from "../lib/model/recipes.ts";

/** `deno task bench`: how fast this adapter runs, against stock tfjs in the same run. */
export const bench = command({
  name: "bench",
  summary: "times steps, kernels and input on this adapter against stock tfjs, by turns",
  options: {
    parts: { kind: "list", of: BENCH_PARTS, default: BENCH_PARTS, help: "what to measure" },
    support: { kind: "integer", min: 1, max: 4096, default: 8, help: "N_S: people per request" },
    ...BENCH_OPTIONS,
    precision: PRECISION,
  },
  examples: [
    "deno task bench",
    "deno task bench --device wasm --json",
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
    await printResult(terminal, json ? "-" : undefined, report, benchTables(report));
  },
});

if (import.meta.main) await main(bench);
