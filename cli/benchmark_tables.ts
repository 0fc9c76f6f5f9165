import type { BenchmarkResults, MeanAndDeviation, SummaryRow } from "../lib/benchmark/results.ts";
import { percent, table } from "./table.ts";

/** A mean and its standard deviation in percent: `84.5 ± 0.2`. */
function figure(value: MeanAndDeviation | null): string {
  if (value === null) return "-";
  const { mean, deviation } = value;
  return deviation === null ? percent(mean) : `${percent(mean)} ± ${percent(deviation)}`;
}

/** Tables 1 to 4 in the paper's form: a table per data set and number of people, a row per method. */
export function benchmarkTables(results: BenchmarkResults): string[] {
  const groups = Map.groupBy(results.summary, ({ data, forget }) => JSON.stringify([data, forget]));
  return [...groups.values()].flatMap((rows) => {
    const { data, forget } = rows[0];
    const title = `${data}, ${forget} to forget`;
    return [...table(HEADER(title), rows.map(cells), notes(rows)), ""];
  });
}

const HEADER = (title: string) => [
  title,
  "retain",
  "forget",
  "test",
  "ToW",
  "RMIA TPR",
  "AUC",
  "verdict",
];

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

function notes(rows: readonly SummaryRow[]): string[] {
  const unresolved = rows.find(({ smallest, tprResolved }) => smallest && !tprResolved);
  if (!unresolved) return ["RMIA TPR at 0.01 % FPR"];
  const { fpr } = unresolved.smallest!;
  return [
    `0.01 % FPR is below what ${Math.round(1 / fpr)} non-members resolve: RMIA TPR is at the ` +
    `smallest FPR that they do, ${(100 * fpr).toFixed(2)} %`,
  ];
}
