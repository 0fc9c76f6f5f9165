import type { MeanAndDeviation, SummaryRow } from "../benchmark/results.ts";
import { htmlTable } from "./html_table.ts";
import { html, type Markup } from "./markup.ts";

/**
 * The rows of one data set and number of people, as Tables 1 to 4 have them, with membership inference
 * and the verdicts beside them.
 */
export function resultsTable(rows: readonly SummaryRow[]): Markup {
  const { columns, cells, resolved } = resultCells(rows);
  const table = htmlTable(columns, cells);
  if (resolved) return table;
  return html`
    ${table}
    <p
      class="note">An FPR of 0.01 % needs 10,000 images of strangers; with fewer, the smallest rate that
    they resolve is given (${smallestRates(rows)}).</p>
  `;
}

/** The same rows as text, and whether every row resolves an FPR of 0.01 %. */
export function resultCells(rows: readonly SummaryRow[]): {
  readonly columns: string[];
  readonly cells: string[][];
  readonly resolved: boolean;
} {
  const resolved = rows.every(({ tpr, tprResolved }) => tpr === null || tprResolved);
  const rate = resolved ? "0.01 % FPR" : "the smallest FPR";
  return {
    columns: [
      "method",
      "retain",
      "forget",
      "test",
      "Tug-of-War",
      `TPR at ${rate}`,
      "AUC",
      "verdict",
    ],
    cells: rows.map((row) => [
      row.method,
      percent(row.retain),
      percent(row.forgetMetric),
      percent(row.test),
      percent(row.tugOfWar),
      percent(resolved ? row.tpr : row.smallest?.tpr ?? null),
      fraction(row.auc),
      verdicts(row.verdicts),
    ]),
    resolved,
  };
}

/** A fraction's mean over seeds in percent, with its standard deviation. */
export function percent(value: MeanAndDeviation | null): string {
  if (value === null || !Number.isFinite(value.mean)) return "-";
  const mean = (100 * value.mean).toFixed(1);
  return value.deviation === null ? mean : `${mean} ± ${(100 * value.deviation).toFixed(1)}`;
}

function fraction(value: MeanAndDeviation | null): string {
  if (value === null || !Number.isFinite(value.mean)) return "-";
  const mean = value.mean.toFixed(3);
  return value.deviation === null ? mean : `${mean} ± ${value.deviation.toFixed(3)}`;
}

/** `indistinguishable 2, over-forgotten 1`: over seeds. */
function verdicts(counts: Readonly<Record<string, number>>): string {
  const given = Object.entries(counts).filter(([, count]) => count > 0);
  if (given.length === 1) return given[0][0];
  return given.map(([verdict, count]) => `${verdict} ${count}`).join(", ") || "-";
}

function smallestRates(rows: readonly SummaryRow[]): string {
  const rates = rows.flatMap(({ smallest }) => smallest ? [smallest.fpr] : []);
  const text = (rate: number) => `${Number((100 * rate).toPrecision(2))} %`;
  const [low, high] = [text(Math.min(...rates)), text(Math.max(...rates))];
  return low === high ? low : `${low} to ${high}`;
}
