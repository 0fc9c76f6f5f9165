import type { SequenceSummary } from "../benchmark/summarise.ts";
import { htmlTable } from "./html_table.ts";
import { html, type Markup } from "./markup.ts";
import { percent } from "./results_table.ts";

/** A stream of requests, a row after each. */
export function sequenceTable({ method, steps }: SequenceSummary): Markup {
  const rows = steps.map(({ people, retain, forget, test, waiting, tugOfWar }) => [
    `${people}`,
    ...[retain, forget, test, waiting, tugOfWar].map(percent),
  ]);
  return html`
    <h3>Request after request: ${method}</h3>
    ${htmlTable(
      ["forgotten so far", "retain", "forget", "test", "still to come", "Tug-of-War"],
      rows,
    )}
    <p
      class="note">Each request is served from the kit that the last one left. Against the model retrained
    without all of them, on the people forgotten so far.</p>
  `;
}
