// @ts-types="@types/d3-scale"
import { scaleLinear } from "d3-scale";
import type { Bin } from "../measure/feature_distance.ts";
import { html, type Markup } from "./markup.ts";
import { plot, px } from "./plot.ts";

const WIDTH = 300;
const HEIGHT = 190;

/**
 * A figure of people binned by a distance in feature space (Fig. 4, Fig. 5): a bar over each bin's
 * range of distances at the mean of its values.
 *
 * @param bins values are fractions; drawn as points of a hundred
 */
export function distanceFigure(
  bins: readonly Bin[],
  { title, caption, x, y }: {
    readonly title: string;
    readonly caption: string;
    /** Labels of the axes. */
    readonly x: string;
    readonly y: string;
  },
): Markup {
  const values = bins.map(({ mean }) => 100 * mean);
  const across = scaleLinear(
    [Math.min(...bins.map(({ from }) => from)), Math.max(...bins.map(({ to }) => to))],
    [0, WIDTH],
  ).nice(5);
  const up = scaleLinear([Math.min(0, ...values), Math.max(0, ...values, 1e-9)], [HEIGHT, 0])
    .nice(5);
  const zero = px(up(0));
  return html`<figure>${
    plot({ width: WIDTH, height: HEIGHT, left: 58, bottom: 42 }, {
      title,
      description: bins.map(({ from, to, people, mean }) =>
        `${people} people from ${from.toFixed(2)} to ${to.toFixed(2)}: ${(100 * mean).toFixed(1)}`
      ).join("; "),
      x: {
        scale: across,
        ticks: across.ticks(5).map((at) => ({ at, text: String(at) })),
        label: x,
      },
      y: { scale: up, ticks: up.ticks(5).map((at) => ({ at, text: String(at) })), label: y },
      marks: [
        html`
          <line class="zero" x1="0" x2="${WIDTH}" y1="${zero}" y2="${zero}" />
        `,
        ...bins.map(({ from, to }, i) => {
          const [left, right] = [across(from), across(to)];
          return html`
            <line class="range" x1="${px(left)}" x2="${px(right)}" y1="${px(
              up(values[i]),
            )}" y2="${px(up(values[i]))}" />
            <circle class="dot" cx="${px((left + right) / 2)}" cy="${px(up(values[i]))}" r="4" />
          `;
        }),
      ],
    })
  }<figcaption>${caption}</figcaption></figure>`;
}
