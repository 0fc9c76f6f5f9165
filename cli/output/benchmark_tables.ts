import { paperRow } from "../../lib/benchmark/paper_figures.ts";
import { PRETRAIN, RETRAIN } from "../../lib/benchmark/plan.ts";
import type {
  BenchmarkResults,
  MeanAndDeviation,
  SummaryRow,
} from "../../lib/benchmark/results.ts";
import { summariseSequences } from "../../lib/benchmark/summarise.ts";
import { percent, table } from "./table.ts";

/** A mean and its standard deviation in percent: `84.5 ± 0.2`. */
function figure(value: MeanAndDeviation | null): string {
  if (value === null) return "-";
  const { mean, deviation } = value;
  return deviation === null ? percent(mean) : `${percent(mean)} ± ${percent(deviation)}`;
}

/** A summary's rows, a group per data set and number of people. */
function groupsOf({ summary }: BenchmarkResults): SummaryRow[][] {
  return [
    ...Map.groupBy(summary, ({ data, forget }) => JSON.stringify([data, forget])).values(),
  ];
}

/**
 * Tables 1 to 4 in the paper's form: a table per data set and number of people, a row per method; below
 * it the paper's own figures, where data set and model are the same.
 */
export function benchmarkTables(results: BenchmarkResults): string[] {
  return groupsOf(results).flatMap((rows) => {
    const { data, forget } = rows[0];
    const title = `${data}, ${forget} to forget`;
    const lines = rows.flatMap((row) => [cells(row), ...paperCells(results, row)]);
    return [...table([title, ...COLUMNS], lines, notes(rows)), ""];
  });
}

const COLUMNS = ["retain", "forget", "test", "ToW", "RMIA TPR", "AUC", "verdict"];

function cells(row: SummaryRow): string[] {
  const verdicts = Object.entries(row.verdicts).map(([verdict, count]) => `${verdict} ${count}`);
  return [
    row.method,
    ...[row.retain, row.forgetMetric, row.test, row.tugOfWar].map(figure),
    figure(row.tprResolved ? row.tpr : row.smallest?.tpr ?? null),
    figure(row.auc),
    verdicts.join(", "),
  ];
}

function paperCells({ settings, splits }: BenchmarkResults, row: SummaryRow): string[][] {
  const data = settings.data.find(({ name }) => name === row.data);
  const split = splits.find((split) => split.data === row.data && split.forget === row.forget);
  if (!data || !split) return [];
  const { retain, forget, test, val } = split.images;
  const paper = paperRow(data, retain + forget + test + val, row.forget, row.method);
  if (!paper) return [];
  const of = (value: readonly [number, number] | null) =>
    value === null ? "-" : `${value[0].toFixed(1)} ± ${value[1].toFixed(1)}`;
  return [[
    "  the paper",
    ...[paper.retain, paper.forget, paper.test, paper.tugOfWar].map(of),
    paper.tpr === null ? "-" : paper.tpr.toFixed(2),
  ]];
}

function notes(rows: readonly SummaryRow[]): string[] {
  const unresolved = rows.find(({ smallest, tprResolved }) => smallest && !tprResolved);
  if (!unresolved) return ["RMIA TPR at 0.01 % FPR"];
  const { fpr } = unresolved.smallest!;
  return [
    `0.01 % FPR is below what ${Math.round(1 / fpr)} non-members resolve: RMIA TPR is at the ` +
    `smallest FPR that they do, ${(100 * fpr).toFixed(2)} %`,
  ];
}

/** Tables 5 to 7: Tug-of-War, a row per variant, a column per data set and number of people. */
export function ablationTable(results: BenchmarkResults): string[] {
  const groups = groupsOf(results);
  const methods = [...new Set(results.summary.map(({ method }) => method))]
    .filter((method) => method !== RETRAIN);
  return table(
    ["Tug-of-War", ...groups.map(([{ data, forget }]) => `${data}/${forget}`)],
    methods.map((method) => [
      method === PRETRAIN ? `${PRETRAIN} (does nothing)` : method,
      ...groups.map((rows) => figure(rows.find((row) => row.method === method)?.tugOfWar ?? null)),
    ]),
  );
}

/** Streams of requests: a table per data set, number of people and method, a row per request. */
export function sequenceTables({ sequences, summary }: BenchmarkResults): string[] {
  return summariseSequences(sequences).flatMap(({ data, forget, method, steps }) => {
    const atOnce = summary.find((row) =>
      row.data === data && row.forget === forget && row.method === method
    );
    return [
      ...table(
        [`${method}, ${data}: forgotten so far`, "retain", "forget", "test", "waiting", "ToW"],
        steps.map(({ people, retain, forget, test, waiting, tugOfWar }) => [
          `${people}`,
          ...[retain, forget, test, waiting, tugOfWar].map(figure),
        ]),
        atOnce ? [`all ${forget} in one request: ToW ${figure(atOnce.tugOfWar)}`] : [],
      ),
      "",
    ];
  });
}
