import type { CellResult, ForgottenPerson, SplitResult } from "../benchmark/results.ts";
import type { PersonMetrics } from "../measure/people.ts";
import { htmlTable } from "./html_table.ts";
import { html, type Markup } from "./markup.ts";

/** A neighbour is harmed when the metric on their images fell by more than this, a fraction. */
const HARM = 0.05;
/** Harmed neighbours that are named. */
const NAMED = 3;

const HEADER = [
  "model",
  "metric",
  "loss",
  "RMIA score",
  "against retrained",
  "neighbours harmed",
];

/**
 * What happened to one forgotten person: how the original, the retrained and each unlearned model do on
 * their images, whether they can be told from strangers, and which of the people who stay, and to whom
 * this person is the nearest of the forgotten in feature space, were harmed.
 *
 * @param at the person's place in the split's `forgotten`
 * @param cells of the split, in the order of the tables
 * @param picture of the support image
 */
export function dossier(
  split: SplitResult,
  at: number,
  cells: readonly CellResult[],
  picture?: Markup,
): Markup {
  const person = split.forgotten[at];
  const unlearned = cells.filter(({ seconds }) => seconds !== null).map((cell) => {
    const outcome = cell.forgotten[at];
    return [
      cell.method,
      ...metrics(outcome),
      outcome.score.toFixed(3),
      outcome.verdict.verdict,
      harmedNeighbours(split, person, cell),
    ];
  });
  const table = htmlTable(HEADER, [
    ["original", ...metrics(person.original), "-", "-", "-"],
    ["retrained", ...metrics(person.retrained), "-", "-", "-"],
    ...unlearned,
  ]);
  const distance = person.supportDistance.toFixed(2);
  return html`
    <details class="dossier">
      <summary>${person.identity} (seed ${split.seed})</summary>
      <div class="file">${picture ?? ""}
    <div>
    <p>${person.files
      .length} images to forget; the support image lies ${distance} from their centroid.</p>
    ${table}
    </div>
      </div>
    </details>
  `;
}

/** The metric in percent and the loss. */
function metrics({ metric, loss }: PersonMetrics): string[] {
  return [(100 * metric).toFixed(1), loss.toFixed(3)];
}

/** Of the people nearest to this one: how many lost more than {@link HARM}, the worst by name. */
function harmedNeighbours(split: SplitResult, person: ForgottenPerson, cell: CellResult): string {
  const near = split.retained.flatMap((retained, i) =>
    retained.nearest === person.identity
      ? [{ name: retained.identity, drop: retained.original.metric - cell.retained[i].metric }]
      : []
  );
  const harmed = near.filter(({ drop }) => drop > HARM)
    .sort((a, b) => b.drop - a.drop)
    .map(({ name, drop }) => `${name} -${(100 * drop).toFixed(1)}`);
  const count = `${harmed.length} of ${near.length}`;
  if (harmed.length === 0) return count;
  return `${count}: ${harmed.slice(0, NAMED).join(", ")}${harmed.length > NAMED ? ", ..." : ""}`;
}
