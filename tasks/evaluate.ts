import { command, main } from "../cli/command/command.ts";
import { MEMORY_OPTIONS, memoryChoice } from "../cli/options/memory_options.ts";
import { progress } from "../cli/output/progress.ts";
import { printResult } from "../cli/output/print_result.ts";
import {
  CACHE,
  DATA,
  DEVICE,
  JSON_RESULT,
  openAndAnnounce,
  PRECISION,
  SPLIT,
} from "../cli/options/shared_options.ts";
import { whileMaking } from "../lib/files/kept_when_interrupted.ts";
import { percent, table } from "../cli/output/table.ts";
import { MEASURED_PARTS } from "../lib/measure/evaluation.ts";
import type { EvaluationReport, ModelEvaluation } from "../lib/run/evaluate_model.ts";

/** `deno task evaluate`: retain, forget, test, Tug-of-War. */
export const evaluate = command({
  name: "evaluate",
  summary: "mAP or accuracy and loss on retain, forget and test; Tug-of-War against retraining",
  options: {
    model: {
      kind: "path",
      required: true,
      takes: "model",
      value: "DIR",
      help: "the model to measure",
    },
    before: {
      kind: "path",
      takes: "model",
      value: "DIR",
      help: "the model before unlearning, for comparison",
    },
    retrained: {
      kind: "path",
      takes: "model",
      value: "DIR",
      help: "the oracle, from train --without-forget",
    },
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
    "deno task evaluate --model unlearned/model --before model --retrained retrained --split split.json --data DIR --json figures.json",
  ],
  async run(
    { model, before, retrained, split, data, labels, cache, json, device, precision, ...memory },
    terminal,
  ) {
    using _told = whileMaking(null, cache === undefined ? [] : [cache]);
    const { evaluateModels } = await import("../lib/run/evaluate_model.ts");
    await openAndAnnounce(device, terminal, precision);
    const report = await evaluateModels({
      split,
      data,
      models: before === undefined ? [model] : [before, model],
      ...(retrained === undefined ? {} : { retrained }),
      ...(labels === undefined ? {} : { labels }),
      ...memoryChoice(memory),
      ...(cache === undefined ? {} : { cache }),
      onProgress: progress(terminal),
      onNotice: (line) => terminal.note(line),
    });
    const named = {
      model,
      ...(before === undefined ? {} : { before }),
      ...(retrained === undefined ? {} : { retrained }),
    };
    await printResult(terminal, json, asJson(report, named), asTables(report, named));
  },
});

/** The folders that the command line names. */
interface Named {
  readonly model: string;
  readonly before?: string;
  readonly retrained?: string;
}

/** A model's row: what it is called, how it does and, where there is an oracle, its Tug-of-War. */
interface Row {
  readonly name: string;
  readonly measured: ModelEvaluation;
  readonly tugOfWar: number | null;
}

/** Rows in the order in which the models came to be, the oracle last. */
function rowsOf(
  { models, retrained, tugOfWar }: EvaluationReport,
  named: Named,
): Row[] {
  const names = named.before === undefined ? [named.model] : [named.before, named.model];
  return [
    ...names.map((name, i) => ({
      ...{ name, measured: models[i], tugOfWar: tugOfWar?.[i] ?? null },
    })),
    ...retrained
      ? [{
        name: named.retrained!,
        measured: retrained,
        tugOfWar: tugOfWar?.[0] == null ? null : 1,
      }]
      : [],
  ];
}

/** What unlearning made of the way from `before` to the oracle, by Tug-of-War; null where it is unknown. */
function gapClosed({ tugOfWar }: EvaluationReport, { before }: Named): number | null {
  if (before === undefined || tugOfWar === undefined) return null;
  const [first, after] = tugOfWar;
  return first === null || after === null || first === 1 ? null : (after - first) / (1 - first);
}

/** A table of the models, then the model's own labels. */
function asTables(report: EvaluationReport, named: Named): string[] {
  const rows = rowsOf(report, named);
  const [{ measured: model }] = rows.slice(named.before === undefined ? 0 : 1);
  const metric = metricOf(report);
  const gap = gapClosed(report, named);
  const withOracle = (cell: string) => report.retrained ? [cell] : [];
  return [
    ...table([`${metric} in percent`, ...MEASURED_PARTS, ...withOracle("Tug-of-War")], [
      ...rows.map(({ name, measured, tugOfWar }) => [
        name,
        ...MEASURED_PARTS.map((part) => percent(measured[part].metric)),
        ...withOracle(percent(tugOfWar)),
      ]),
    ]),
    "",
    ...table(["loss in nats", ...MEASURED_PARTS], [
      ...rows.map(({ name, measured }) => [
        name,
        ...MEASURED_PARTS.map((part) => measured[part].loss.toFixed(4)),
      ]),
      ["images", ...MEASURED_PARTS.map((part) => String(model[part].images))],
    ]),
    "",
    ...table([`${named.model}, by label`, ...MEASURED_PARTS], [
      ...Object.keys(model.retain.perLabel).map((label) => [
        label,
        ...MEASURED_PARTS.map((part) => percent(model[part].perLabel[label])),
      ]),
    ]),
    ...gap === null ? [] : ["", `closes ${percent(gap)} % of the gap to the retrained model`],
    ...report.undefinedParts.length === 0 ? [] : [
      "",
      `no label has a positive among the images of ${report.undefinedParts.join(", ")}: mAP is ` +
      "undefined there, and Tug-of-War with it",
    ],
  ];
}

/** The model's parts and Tug-of-War, as ever; the other models likewise under their names. */
function asJson(report: EvaluationReport, named: Named) {
  const rows = rowsOf(report, named);
  const all = ({ name, measured, tugOfWar }: Row) => ({
    path: name,
    ...Object.fromEntries(MEASURED_PARTS.map((part) => [part, measured[part]])),
    tow: tugOfWar,
  });
  const before = named.before === undefined ? undefined : rows.shift();
  const [model, retrained] = rows;
  return {
    metric: metricOf(report),
    ...all(model),
    ...(before ? { before: all(before) } : {}),
    ...(retrained ? { retrained: all(retrained) } : {}),
    gapClosed: gapClosed(report, named),
  };
}

function metricOf({ task }: EvaluationReport): string {
  return task === "classes" ? "accuracy" : "mAP";
}

if (import.meta.main) await main(evaluate);
