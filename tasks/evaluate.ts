import { command, main } from "../cli/command.ts";
import { progress } from "../cli/progress.ts";
import { DATA, DEVICE, openAndAnnounce, SPLIT } from "../cli/shared_options.ts";
import { percent, table } from "../cli/table.ts";
import { writeWhole } from "../lib/data/whole.ts";
import { evaluateModels, MEASURED_PARTS } from "../lib/run/evaluate_model.ts";

/** `deno task evaluate`: retain, forget, test, Tug-of-War. */
export const evaluate = command({
  name: "evaluate",
  summary: "mAP or accuracy and loss on retain, forget and test; Tug-of-War against retraining",
  options: {
    model: { kind: "path", required: true, value: "DIR", help: "the model to measure" },
    retrained: { kind: "path", value: "DIR", help: "the oracle, from train --without-forget" },
    split: SPLIT,
    data: DATA,
    labels: { kind: "list", help: "count only these labels (all)" },
    json: { kind: "path", value: "FILE", help: "also write the figures there" },
    microBatch: { kind: "integer", min: 1, max: 4096, default: 64, help: "images per pass" },
    device: DEVICE,
  },
  examples: [
    "deno task evaluate --model unlearned/model --retrained retrained --split split.json --data DIR",
  ],
  async run({ model, retrained, split, data, labels, json, microBatch, device }, terminal) {
    await openAndAnnounce(device, terminal);
    const report = await evaluateModels({
      split,
      data,
      models: [model],
      ...(retrained === undefined ? {} : { retrained }),
      ...(labels === undefined ? {} : { labels }),
      microBatch,
      onProgress: progress(terminal),
    });
    const [result] = report.models;
    const names = Object.keys(result.retain.perLabel);
    const rows = [
      ["all labels", ...MEASURED_PARTS.map((part) => percent(result[part].metric))],
      ["loss", ...MEASURED_PARTS.map((part) => result[part].loss.toFixed(4))],
      ...names.map((name) => [
        `  ${name}`,
        ...MEASURED_PARTS.map((part) => percent(result[part].perLabel[name])),
      ]),
    ];
    for (const line of table([model, ...MEASURED_PARTS], rows)) terminal.print(line);
    const tow = report.tugOfWar?.[0];
    if (tow !== undefined) terminal.print(`Tug-of-War: ${percent(tow)}`);
    if (json === undefined) return;
    const figures = {
      ...result,
      ...(tow === undefined ? {} : { tow, retrained: report.retrained }),
    };
    await writeWhole(json, JSON.stringify(figures, null, 2) + "\n");
  },
});

if (import.meta.main) await main(evaluate);
