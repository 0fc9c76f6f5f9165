import { fromFileUrl } from "@std/path";
import { benchTables } from "../cli/bench_tables.ts";
import { command, main } from "../cli/command.ts";
import { printResult } from "../cli/print_result.ts";
import { progress } from "../cli/progress.ts";
import { DEVICE, openAndAnnounce } from "../cli/shared_options.ts";
import { bench as measure, BENCH_PARTS, type BenchPart } from "../lib/bench/bench.ts";
import { listFolder } from "../lib/data/list_folder.ts";
import { type PresetName, PRESETS } from "../lib/model/config.ts";
import { TRAINING_RECIPES } from "../lib/model/recipes.ts";

/** `deno task bench`: how fast this adapter runs, against stock tfjs in the same run. */
export const bench = command({
  name: "bench",
  summary: "times steps, kernels and input on this adapter against stock tfjs, by turns",
  options: {
    parts: { kind: "list", of: BENCH_PARTS, default: BENCH_PARTS, help: "what to measure" },
    preset: {
      kind: "choice",
      of: Object.keys(PRESETS),
      default: "vit_small_patch8_64",
      help: "size of the ViT, for steps and kernel shapes",
    },
    batch: { kind: "integer", min: 1, max: 4096, default: 32, help: "images per step" },
    support: { kind: "integer", min: 1, max: 4096, default: 8, help: "N_S: people per request" },
    labels: { kind: "integer", min: 1, max: 65_536, default: 40, help: "outputs of the head" },
    repetitions: { kind: "integer", min: 1, max: 1000, default: 5, help: "turns at most" },
    seconds: {
      kind: "number",
      min: 0,
      default: 6,
      help: "after which nothing is repeated once more, per figure",
    },
    // A switch, not --json FILE: this task has no right to write.
    json: { kind: "flag", help: "print JSON instead of tables" },
    device: DEVICE,
  },
  examples: [
    "deno task bench",
    "deno task bench --device wasm --json",
    "deno task bench --preset vit_base_patch16_224 --batch 1 --parts kernels",
  ],
  async run(options, terminal) {
    const { parts, preset, batch, support, labels, repetitions, seconds, json } = options;
    const root = fromFileUrl(new URL("../fixtures/requests", import.meta.url));
    const entries = await listFolder(root, "restore the repository's own pictures");
    const device = await openAndAnnounce(options.device, terminal);
    const report = await measure({
      device,
      settings: { shape: PRESETS[preset as PresetName], batch, support, labels, hidden: 512 },
      parts: parts as readonly BenchPart[],
      effort: { repetitions, seconds, turn: 0.15 },
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
