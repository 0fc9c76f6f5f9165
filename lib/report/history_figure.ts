import { linearAxis } from "./linear_axis.ts";
import { html, type Markup } from "./markup.ts";
import { plot, points, px } from "./plot.ts";

/** One panel: a value per epoch. */
export interface HistoryCurve {
  readonly title: string;
  /** What the vertical axis counts. */
  readonly label: string;
  /** From the first epoch on; what is not finite is left out. */
  readonly values: readonly number[];
}

const [WIDTH, HEIGHT] = [420, 200];
/** Pixels of one panel with its room for texts. */
const PANEL = { wide: 58 + WIDTH + 14, high: 24 + HEIGHT + 42 };

/**
 * A run's history as one SVG file: a curve per panel over the epochs, one panel below the other, the
 * chosen epoch marked.
 *
 * @param chosen the epoch that was kept, from 1; null: the last
 */
export function historySvg(curves: readonly HistoryCurve[], chosen: number | null): string {
  const shown = curves.filter(({ values }) => values.some(Number.isFinite));
  const [wide, high] = [PANEL.wide, PANEL.high * shown.length];
  const panels = shown.map((curve, i) =>
    html`<g transform="translate(0 ${i * PANEL.high})">${panel(curve, chosen)}</g>`
  );
  return html`
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${wide} ${high}" width="${wide}"
      height="${high}"><style>${STYLE}</style><rect width="${wide}" height="${high}" fill="#fff"/>${panels}</svg>
  `.text;
}

const STYLE = "text{font:12px system-ui,sans-serif;fill:#1c2024}.tick,.axis{fill:#5b6470}" +
  ".name{font-weight:600}.grid{stroke:#d5dae0}.curve{fill:none;stroke:#0b5cad;stroke-width:2}" +
  ".dot{fill:#0b5cad}.chosen{stroke:#8a4b00;stroke-dasharray:4 4}";

function panel({ title, label, values }: HistoryCurve, chosen: number | null): Markup {
  const finite = values.map((value, i) => [i + 1, value] as const)
    .filter(([, value]) => Number.isFinite(value));
  const x = linearAxis([1, Math.max(values.length, 2)], [0, WIDTH], "epoch");
  const y = linearAxis(finite.map(([, value]) => value), [HEIGHT, 0], label);
  const at = finite.map(([epoch, value]) => [x.scale(epoch), y.scale(value)] as const);
  const [, last] = finite.at(-1)!;
  return plot({ width: WIDTH, height: HEIGHT, left: 58, bottom: 42 }, {
    title,
    description: `${values.length} epochs; the last one's ${label} is ${last.toPrecision(3)}.`,
    // Epochs are whole numbers.
    x: { ...x, ticks: x.ticks.filter(({ at }) => Number.isInteger(at)) },
    y,
    marks: [
      chosen === null ? "" : html`
        <line class="chosen" x1="${px(x.scale(chosen))}" x2="${px(
          x.scale(chosen),
        )}" y1="0" y2="${HEIGHT}" />
      `,
      html`
        <polyline class="curve" points="${points(at)}" />
      `,
      at.map(([cx, cy]) =>
        html`
          <circle class="dot" cx="${px(cx)}" cy="${px(cy)}" r="2.5" />
        `
      ),
    ],
  });
}
