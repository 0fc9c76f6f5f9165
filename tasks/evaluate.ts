import { command, main } from "../cli/command.ts";
import { MEMORY_OPTIONS, memoryChoice } from "../cli/memory_options.ts";
import { progress } from "../cli/progress.ts";
import { printResult } from "../cli/print_result.ts";
import {
  CACHE,
  DATA,
  DEVICE,
  JSON_RESULT,
  openAndAnnounce,
  PRECISION,
  SPLIT,
} from "../cli/shared_options.ts";
import { percent, table } from "../cli/table.ts";
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
    cache: CACHE,
    labels: { kind: "list", help: "count only these labels (all)" },
    json: JSON_RESULT,
    ...MEMORY_OPTIONS,
    device: DEVICE,
    precision: PRECISION,
  },
  examples: [
    "deno task evaluate --model unlearned/model --retrained retrained --split split.json --data DIR",
  ],
  async run(
    { model, retrained, split, data, labels, cache, json, device, precision, ...memory },
    terminal,
  ) {
    await openAndAnnounce(device, terminal, precision);
    const report = await evaluateModels({
      split,
      data,
      models: [model],
      ...(retrained === undefined ? {} : { retrained }),
      ...(labels === undefined ? {} : { labels }),
      ...memoryChoice(memory),
      ...(cache === undefined ? {} : { cache }),
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
    const tow = report.tugOfWar?.[0];
    const figures = MEASURED_PARTS.map((part) => {
      const { metric, loss } = result[part];
      return [part, { metric, loss }];
    });
    await printResult(terminal, json, { ...Object.fromEntries(figures), tow: tow ?? null }, [
      ...table([model, ...MEASURED_PARTS], rows),
      ...tow === undefined ? [] : [`Tug-of-War: ${percent(tow)}`],
      ...report.undefinedParts.length === 0 ? [] : [
        `no label has a positive among the images of ${report.undefinedParts.join(", ")}: mAP is ` +
        "undefined there, and Tug-of-War with it",
      ],
    ]);
  },
});

if (import.meta.main) await main(evaluate);
