import type { BenchmarkResults } from "../benchmark/results.ts";
import { htmlTable } from "./html_table.ts";
import { html, type Markup } from "./markup.ts";

/**
 * Which adapter computed which cell, where that is known: a line where it was one, else a row per cell.
 * A cell that was made on several, as a model on one and the unlearning on another, names all of them.
 */
export function adapterTable({ cells, device }: BenchmarkResults): Markup {
  const rows = cells.map((cell) => ({ ...cell, names: (cell.adapters ?? [device]).join("; ") }));
  const names = new Set(rows.map(({ names }) => names));
  if (names.size <= 1) {
    return html`<p class="note">Every cell was computed on ${[...names][0] ?? device}.</p>`;
  }
  return html`
    <p class="note">Adapters differ in the last bits of what they compute.</p>
    ${htmlTable(
      ["data set", "people", "method", "seed", "computed on"],
      rows.map(({ data, forget, method, seed, names }) => [
        data,
        String(forget),
        method,
        String(seed),
        names,
      ]),
    )}
  `;
}
