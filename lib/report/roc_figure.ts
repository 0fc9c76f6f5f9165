// @ts-types="@types/d3-scale"
import { scaleLog } from "d3-scale";
import type { CellResult } from "../benchmark/results.ts";
import { html, type Markup } from "./markup.ts";
import { type Axis, plot, points } from "./plot.ts";

/** Pixels. */
const SIDE = 240;

/**
 * ROC curves of RMIA in log-log, one panel per method and one curve per seed with its 95 % band
 * (clustered by identity). A curve along the dashed diagonal tells members from strangers no better
 * than chance; what lies below the panel (a rate of 0 has no logarithm) is drawn on its lower edge.
 *
 * @param cells of one data set and number of people
 * @param methods in the order of the panels
 */
export function rocFigure(cells: readonly CellResult[], methods: readonly string[]): Markup {
  const shown = methods.filter((method) => cells.some((cell) => cell.method === method));
  const lowest = 10 ** Math.floor(Math.log10(Math.min(
    ...cells.flatMap(({ membership: { roc, scores } }) => [
      ...roc.map(({ fpr }) => fpr),
      1 / scores.members.length,
    ]),
    0.1,
  )));
  const axis = (label: string, range: [number, number]): Axis => ({
    scale: scaleLog([lowest, 1], range).clamp(true),
    ticks: Array.from({ length: Math.round(-Math.log10(lowest)) + 1 }, (_, i) => {
      const at = 10 ** -i;
      return { at, text: at >= 0.01 ? String(at) : `1e-${i}` };
    }),
    label,
  });
  const x = axis("false positive rate", [0, SIDE]);
  const y = axis("true positive rate", [SIDE, 0]);
  const panels = shown.map((method) => {
    const own = cells.filter((cell) => cell.method === method);
    const areas = own.map(({ seed, membership }) => `${membership.auc.toFixed(2)} (seed ${seed})`);
    return plot({ width: SIDE, height: SIDE, left: 58, bottom: 42 }, {
      title: method,
      description: `RMIA's ROC curve after ${method}; area under it ${areas.join(", ")}.`,
      x,
      y,
      marks: [
        html`
          <line class="chance" x1="0" y1="${SIDE}" x2="${SIDE}" y2="0" />
        `,
        ...own.map(({ membership: { roc } }, i) => {
          const band = [
            ...roc.map(({ fpr, high }) => [x.scale(fpr), y.scale(high)] as const),
            ...roc.toReversed().map(({ fpr, low }) => [x.scale(fpr), y.scale(low)] as const),
          ];
          const curve = roc.map(({ fpr, tpr }) => [x.scale(fpr), y.scale(tpr)] as const);
          return html`
            <polygon class="band" points="${points(band)}" />
            <polyline class="curve dash-${i % 4}" points="${points(curve)}" />
          `;
        }),
      ],
    });
  });
  return html`
    <figure>
      <div class="panels">${panels}</div>
      <figcaption>Membership inference (RMIA) on the forgotten people's images against strangers', log-log,
    one curve per seed with its 95 % band. On the dashed diagonal the attacker guesses.</figcaption>
    </figure>
  `;
}
