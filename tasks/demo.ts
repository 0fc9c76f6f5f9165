import { command, main } from "../cli/command.ts";
import { progress } from "../cli/progress.ts";
import { DEVICE, openAndAnnounce, SEED } from "../cli/shared_options.ts";
import { percent, table } from "../cli/table.ts";
import { DEMO, demo as run } from "../lib/run/demo.ts";
import { refuseExisting } from "../lib/data/whole.ts";
import type { ModelEvaluation } from "../lib/run/evaluate_model.ts";

/** `deno task demo`: the whole path on the built-in portraits. */
export const demo = command({
  name: "demo",
  summary: "the main job end to end on drawn portraits; minutes on two cores",
  options: {
    seed: SEED,
    out: { kind: "path", value: "DIR", help: "keep everything there (a temporary folder)" },
    device: DEVICE,
  },
  examples: ["deno task demo", "deno task demo --seed 1 --device wasm --out demo"],
  async run({ seed, out, device: choice }, terminal) {
    if (out !== undefined) {
      await refuseExisting(out);
      await Deno.mkdir(out, { recursive: true });
    }
    const folder = out ?? await Deno.makeTempDir({ prefix: "lethe-demo-" });
    try {
      const device = await openAndAnnounce(choice, terminal);
      const { identities, imagesPerIdentity, forget } = DEMO;
      terminal.print(
        `${identities} drawn people, ${imagesPerIdentity} pictures each; ${forget} of them ask to be ` +
          "forgotten and give one new picture",
      );
      const report = await run(folder, device, seed, progress(terminal));
      const row = (
        name: string,
        of: "all" | "visible" | "privateFacts",
        model: ModelEvaluation,
      ) => [
        name,
        ...(["retain", "forget", "test"] as const).map((part) => percent(model[part].metric)),
        percent(of === "all" ? tugOfWarOf(name) : null),
      ];
      const [before, after] = report.all.tugOfWar!;
      const tugOfWarOf = (name: string) =>
        name === "pretrain" ? before : name === "unlearned" ? after : null;
      const titles = {
        all: "all labels (mAP)",
        visible: "visible labels (mAP)",
        privateFacts: "private facts (mAP)",
      };
      for (const  of of["all", "visible", "privateFacts"] as const) {
        const { models: [pretrained, unlearned], retrained } = report[of];
        terminal.print("");
        const rows = [
          row("pretrain", of, pretrained),
          row("retrained", of, retrained!),
          row("unlearned", of, unlearned),
        ];
        for (const line of table([titles[of], "retain", "forget", "test", "ToW"], rows)) {
          terminal.print(line);
        }
      }
      terminal.print("");
      terminal.print(
        `Tug-of-War against the retrained model: ${percent(before)} before, ${
          percent(after)
        } after ` +
          `one step from one picture each (${
            percent((after - before) / (1 - before))
          } % of the gap)`,
      );
      if (out !== undefined) terminal.print(`everything is in ${out}`);
    } finally {
      if (out === undefined) await Deno.remove(folder, { recursive: true });
    }
  },
});

if (import.meta.main) await main(demo);
