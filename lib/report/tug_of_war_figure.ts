import type { CellResult } from "../benchmark/results.ts";
import { linearAxis } from "./linear_axis.ts";
import { html, type Markup } from "./markup.ts";
import { plot, px } from "./plot.ts";

/** With the room for names at the left, as wide as the page. */
const WIDTH = 860;
/** Pixels a method. */
const ROW = 24;

/**
 * Tug-of-War (Eq. 7) per method: a dot per seed, a bar at their mean.
 *
 * @param cells of one data set and number of people
 * @param methods from top to bottom
 */
export function tugOfWarFigure(cells: readonly CellResult[], methods: readonly string[]): Markup {
  const shown = methods.filter((method) => cells.some((cell) => cell.method === method));
  const height = shown.length * ROW;
  const across = linearAxis(
    [...cells.map(({ tugOfWar }) => 100 * tugOfWar), 99, 100],
    [0, WIDTH],
    "Tug-of-War, percent",
    6,
  );
  const { scale } = across;
  const row = (method: number) => (method + 0.5) * ROW;
  const marks = shown.map((method, i) => {
    const values = cells.filter((cell) => cell.method === method)
      .map(({ tugOfWar }) => 100 * tugOfWar);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return html`
      <line class="mean" x1="${px(scale(mean))}" x2="${px(scale(mean))}" y1="${px(
        row(i) - 8,
      )}" y2="${px(row(i) + 8)}" />
      ${values.map((value) =>
        html`
          <circle class="dot" cx="${px(scale(value))}" cy="${px(row(i))}" r="4" />
        `
      )}
    `;
  });
  return html`<figure>${
    plot({ width: WIDTH, height, left: 180, bottom: 42 }, {
      title: "Tug-of-War",
      description: "How near each method comes to the retrained model; 100 is equal in all parts.",
      x: across,
      y: {
        scale: row,
        ticks: shown.map((text, at) => ({ at, text })),
        label: "",
      },
      marks,
    })
  }
<figcaption>Nearness to the model retrained without the forgotten people: a dot per seed, a bar at the
mean.</figcaption></figure>`;
}
