import type { BenchmarkResults, SummaryRow } from "../benchmark/results.ts";
import { PRETRAIN } from "../benchmark/plan.ts";
import { html, type Markup } from "./markup.ts";
import { percent } from "./results_table.ts";

/**
 * What a person who knows none of the terms should take from the results: per data set and number of
 * people, the method that came nearest to retraining, what doing nothing would score, and whether the
 * forgotten can be told from strangers.
 */
export function summary({ summary: rows, cells, planned }: BenchmarkResults): Markup {
  const missing = planned - cells.length;
  return html`<p>A person asks to be forgotten and gives one photograph. The ideal is a model trained
anew without that person; each method tries to come near it without the training data. <b>Tug-of-War</b>
says how near: 100 means equal on the people who stay, on the forgotten and on strangers.</p>
<ul>${
    groups(rows).map(({ data, forget, rows }) => html`<li>${sentence(data, forget, rows)}</li>`)
  }</ul>${
    missing > 0
      ? html`<p class="warning">${missing} of ${planned} cells are not computed yet: this report is of a
grid that has not finished.</p>`
      : ""
  }`;
}

/** Rows by data set and number of people, in the order in which they come. */
export function groups<Row extends { readonly data: string; readonly forget: number }>(
  rows: readonly Row[],
): { data: string; forget: number; rows: Row[] }[] {
  const found = new Map<string, { data: string; forget: number; rows: Row[] }>();
  for (const row of rows) {
    const key = JSON.stringify([row.data, row.forget]);
    const group = found.get(key) ?? { data: row.data, forget: row.forget, rows: [] };
    group.rows.push(row);
    found.set(key, group);
  }
  return [...found.values()];
}

/** The rows of methods that forget: neither the original model nor retraining. */
function methodsOf(rows: readonly SummaryRow[]): SummaryRow[] {
  return rows.filter(({ method, tugOfWar }) => method !== PRETRAIN && tugOfWar !== null);
}

function sentence(data: string, forget: number, rows: readonly SummaryRow[]): Markup {
  const people = forget === 1 ? "one person" : `${forget} people`;
  const methods = methodsOf(rows).toSorted((a, b) => b.tugOfWar!.mean - a.tugOfWar!.mean);
  const nothing = rows.find(({ method }) => method === PRETRAIN)?.tugOfWar ?? null;
  if (methods.length === 0) return html`<b>${data}, ${people}:</b> no method is measured yet.`;
  const best = methods[0];
  const gain = nothing === null ? 0 : best.tugOfWar!.mean - nothing.mean;
  const comparison = nothing === null
    ? ""
    : ` Doing nothing scores ${percent(nothing)}${
      gain > 0 ? "" : ": no method does better than that here"
    }.`;
  const right = best.auc === null ? null : (100 * best.auc.mean).toFixed(0);
  const auc = right === null
    ? ""
    : ` An attacker who is shown a photograph of a forgotten person and one of a stranger tells which ` +
      `is which ${right} times in 100 (a guess: 50).`;
  return html`<b>${data}, ${people}:</b> nearest to retraining is <b>${best.method}</b>, Tug-of-War ${
    percent(best.tugOfWar)
  }.${comparison}${auc}`;
}
