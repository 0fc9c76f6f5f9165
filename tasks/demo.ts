import { command, main } from "../cli/command/command.ts";
import { progress } from "../cli/output/progress.ts";
import { DEVICE, openAndAnnounce, SEED } from "../cli/options/shared_options.ts";
import { percent, table } from "../cli/output/table.ts";
import type { Terminal } from "../cli/output/terminal.ts";
import { claimOutput } from "../lib/files/claim_output.ts";
import { DEMO, demo as run, DEMO_METHODS, type DemoMethod } from "../lib/run/demo.ts";
import { buildFolder } from "../lib/files/write_whole.ts";
import { withTemporaryPath } from "../lib/files/temporary_path.ts";
import type { ModelEvaluation } from "../lib/run/evaluate_model.ts";
import type { Device } from "../lib/tensor/device.ts";

/** `deno task demo`: the whole path on the built-in portraits. */
export const demo = command({
  name: "demo",
  summary: "the main job end to end on drawn portraits; minutes on two cores",
  options: {
    seed: SEED,
    method: {
      kind: "choice",
      of: DEMO_METHODS,
      default: "memory",
      help: "forget by what the kit remembers of each person, or by the learned loss alone",
    },
    out: { kind: "path", value: "DIR", help: "keep everything there (a temporary folder)" },
    device: DEVICE,
  },
  examples: ["deno task demo", "deno task demo --seed 1 --device wasm --out demo"],
  async run({ seed, method, out, device: choice }, terminal) {
    using _claim = out === undefined ? null : await claimOutput(out);
    const device = await openAndAnnounce(choice, terminal);
    if (out === undefined) {
      const folder = await Deno.makeTempDir({ prefix: "lethe-demo-" });
      const lines = await withTemporaryPath(
        folder,
        () => show(folder, seed, method, device, terminal),
      );
      for (const line of lines) terminal.print(line);
      return;
    }
    const lines = await buildFolder(out, (folder) => show(folder, seed, method, device, terminal));
    for (const line of [...lines, `everything is in ${out}`]) terminal.print(line);
  },
});

/** Runs the demo in `folder`. @returns its tables, to be printed when all is made */
async function show(
  folder: string,
  seed: number,
  method: DemoMethod,
  device: Device,
  terminal: Terminal,
): Promise<string[]> {
  const { identities, imagesPerIdentity, forget } = DEMO;
  terminal.print(
    `${identities} drawn people, ${imagesPerIdentity} pictures each; ${forget} of them ask to be ` +
      "forgotten and give one new picture",
  );
  const report = await run(folder, device, seed, progress(terminal), method);
  const row = (
    name: string,
    labels: "all" | "visible" | "privateFacts",
    model: ModelEvaluation,
  ) => [
    name,
    ...(["retain", "forget", "test"] as const).map((part) => percent(model[part].metric)),
    percent(labels === "all" ? tugOfWarOf(name) : null),
  ];
  const [before, after] = report.all.tugOfWar!;
  const tugOfWarOf = (name: string) =>
    name === "pretrain" ? before : name === "unlearned" ? after : null;
  const titles = {
    all: "all labels (mAP)",
    visible: "visible labels (mAP)",
    privateFacts: "private facts, which no picture shows (mAP)",
  };
  const lines: string[] = [];
  for (const labels of ["all", "visible", "privateFacts"] as const) {
    const { models: [pretrained, unlearned], retrained } = report[labels];
    const rows = [
      row("pretrain", labels, pretrained),
      row("retrained", labels, retrained!),
      row("unlearned", labels, unlearned),
    ];
    lines.push("", ...table([titles[labels], "retain", "forget", "test", "ToW"], rows));
  }
  const gap = before === null || after === null ? null : (after - before) / (1 - before);
  return [
    ...lines,
    "",
    `Tug-of-War against the retrained model: ${percent(before)} before, ${percent(after)} after ` +
    `one request of ${forget} people (${percent(gap)} % of the gap)`,
  ];
}

if (import.meta.main) await main(demo);
