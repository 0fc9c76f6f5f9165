import { resolve } from "@std/path";
import { ablationTable, benchmarkTables, sequenceTables } from "../cli/benchmark_tables.ts";
import { command, main } from "../cli/command.ts";
import { printResult } from "../cli/print_result.ts";
import { progress } from "../cli/progress.ts";
import {
  CACHE,
  DEVICE,
  JSON_PROGRESS,
  JSON_RESULT,
  openAndAnnounce,
} from "../cli/shared_options.ts";
import { withAblation } from "../lib/benchmark/ablations.ts";
import { parseGridSettings } from "../lib/benchmark/parse_settings.ts";
import { GRID_PRESETS } from "../lib/benchmark/presets.ts";
import { resultsPath, runGrid } from "../lib/benchmark/run_grid.ts";
import { ABLATIONS, type GridSettings } from "../lib/benchmark/settings.ts";
import { readPlainText } from "../lib/files/plain_file.ts";
import { UsageError } from "../lib/error.ts";

const PRESET_NAMES = Object.keys(GRID_PRESETS) as (keyof typeof GRID_PRESETS)[];

/** `deno task benchmark`: Tables 1 to 7. */
export const benchmark = command({
  name: "benchmark",
  summary:
    "a grid of data set x people to forget x method x seed; a stopped one goes on where it was",
  options: {
    preset: { kind: "choice", of: PRESET_NAMES, help: "a grid that comes with Lethe" },
    settings: { kind: "path", value: "FILE", help: "a grid of your own, as JSON (see README)" },
    ablation: {
      kind: "choice",
      of: ABLATIONS,
      help: "the grid with MetaUnlearn's variants of Table 5, 6 or 7 in place of its methods",
    },
    data: {
      kind: "path",
      value: "ROOT",
      help: "folder of the data sets that the grid gives no root for",
    },
    cache: CACHE,
    out: { kind: "path", default: "benchmark", value: "DIR", help: "where the grid is kept" },
    workers: { kind: "integer", min: 1, max: 64, default: 2, help: "stages at a time" },
    device: DEVICE,
    json: JSON_RESULT,
    jsonProgress: JSON_PROGRESS,
  },
  examples: [
    "deno task benchmark --preset small --device wasm",
    "deno task benchmark --preset celeba-small --data ./celeba --ablation inputs --out grid",
    "deno task benchmark --settings grid.json --data ./celeba --out grid",
  ],
  async run({ data, ablation, workers, json, jsonProgress, ...options }, terminal) {
    const grid = withRoot(await settingsOf(options.preset, options.settings), data);
    const settings = ablation === undefined ? grid : withAblation(grid, ablation);
    const device = await openAndAnnounce(options.device, terminal);
    const out = resolve(options.out);
    const { results, failures } = await runGrid({
      settings,
      device,
      out,
      workers,
      ...(options.cache === undefined ? {} : { cache: resolve(options.cache) }),
      onProgress: progress(terminal, jsonProgress),
    });
    for (const { stage, message } of failures) terminal.note(`lethe: ${stage}: ${message}`);
    await printResult(terminal, json, results, [
      ...ablation === undefined ? benchmarkTables(results) : [...ablationTable(results), ""],
      ...sequenceTables(results),
      ...settings.note === undefined ? [] : [settings.note],
      `all of it: ${resultsPath(options.out, settings)}`,
    ]);
    return failures.length === 0 ? 0 : 1;
  },
});

async function settingsOf(
  preset: keyof typeof GRID_PRESETS | undefined,
  file: string | undefined,
): Promise<GridSettings> {
  if ((preset === undefined) === (file === undefined)) {
    throw new UsageError(
      preset === undefined ? "no grid is named" : "two grids are named",
      "a grid is a preset or a file of settings",
      `give --preset ${PRESET_NAMES.join("|")} or --settings FILE`,
    );
  }
  if (preset !== undefined) return GRID_PRESETS[preset];
  return parseGridSettings(await readPlainText(file!, { maxBytes: 2 ** 20 }), file!);
}

/** Names the folder of those data sets that lack one. */
function withRoot(settings: GridSettings, root: string | undefined): GridSettings {
  return {
    ...settings,
    data: settings.data.map((data) => {
      if (data.layout === "portraits") return data;
      const given = data.root ?? root;
      return given === undefined ? data : { ...data, root: resolve(given) };
    }),
  };
}

if (import.meta.main) await main(benchmark);
