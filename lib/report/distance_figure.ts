import type { Bin } from "../measure/feature_distance.ts";
import { linearAxis } from "./linear_axis.ts";
import { html, type Markup } from "./markup.ts";
import { plot, px } from "./plot.ts";

const WIDTH = 420;
const HEIGHT = 230;

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
  const across = linearAxis(bins.flatMap(({ from, to }) => [from, to]), [0, WIDTH], x);
  const up = linearAxis([0, ...values], [HEIGHT, 0], y);
  const zero = px(up.scale(0));
  return html`<figure>${
    plot({ width: WIDTH, height: HEIGHT, left: 58, bottom: 42 }, {
      title,
      description: bins.map(({ from, to, people, mean }) =>
        `${people} people from ${from.toFixed(2)} to ${to.toFixed(2)}: ${(100 * mean).toFixed(1)}`
      ).join("; "),
      x: across,
      y: up,
      marks: [
        html`
          <line class="zero" x1="0" x2="${WIDTH}" y1="${zero}" y2="${zero}" />
        `,
        ...bins.map(({ from, to }, i) => {
          const [left, right] = [across.scale(from), across.scale(to)];
          return html`
            <line class="range" x1="${px(left)}" x2="${px(right)}" y1="${px(
              up.scale(values[i]),
            )}" y2="${px(up.scale(values[i]))}" />
            <circle class="dot" cx="${px((left + right) / 2)}" cy="${px(
              up.scale(values[i]),
            )}" r="4" />
          `;
        }),
      ],
    })
  }<figcaption>${caption}</figcaption></figure>`;
}
