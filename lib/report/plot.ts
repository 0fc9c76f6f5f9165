import { type Content, html, type Markup } from "./markup.ts";

/** An axis: where values lie, and what is written there. */
export interface Axis {
  /** From a value to pixels. */
  readonly scale: (value: number) => number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
  readonly label: string;
}

/** Pixels of a plot's drawing area and of the room around it for ticks and labels. */
export interface PlotArea {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly bottom: number;
}

/** Room for a title above, and for half a tick's text at the right. */
const TOP = 24;
const RIGHT = 14;

/**
 * An SVG plot: grid lines, tick texts, axis labels, and marks drawn in the coordinates of the axes'
 * scales (x from 0 to `width`, y from `height` to 0).
 *
 * @param description what a reader who does not see it should know
 */
export function plot(
  { width, height, left, bottom }: PlotArea,
  { title, description, x, y, marks }: {
    readonly title: string;
    readonly description: string;
    readonly x: Axis;
    readonly y: Axis;
    readonly marks: Content;
  },
): Markup {
  const [wide, high] = [left + width + RIGHT, TOP + height + bottom];
  const columns = x.ticks.map(({ at, text }) => {
    const [where, below] = [px(x.scale(at)), height + 16];
    return html`
      <line class="grid" x1="${where}" x2="${where}" y1="0" y2="${height}" />
      <text class="tick" x="${where}" y="${below}" text-anchor="middle">${text}</text>
    `;
  });
  const rows = y.ticks.map(({ at, text }) => {
    const [where, line] = [px(y.scale(at)), px(y.scale(at) + 4)];
    return html`
      <line class="grid" x1="0" x2="${width}" y1="${where}" y2="${where}" />
      <text class="tick" x="-8" y="${line}" text-anchor="end">${text}</text>
    `;
  });
  const under = html`<text class="axis" x="${width / 2}" y="${
    height + 34
  }" text-anchor="middle">${x.label}</text>`;
  const turned = `translate(${14 - left} ${height / 2}) rotate(-90)`;
  const beside =
    html`<text class="axis" transform="${turned}" text-anchor="middle">${y.label}</text>`;
  return html`
    <svg class="plot" role="img" viewBox="0 0 ${wide} ${high}" width="${wide}"
      height="${high}">
      <title>${title}</title>
      <desc>${description}</desc>
      <text class="name" x="${left}" y="14">${title}</text>
      <g transform="translate(${left} ${TOP})">
    ${columns}
    ${rows}
    ${under}
    ${beside}
    ${marks}
      </g>
    </svg>
  `;
}

/** A coordinate to a hundredth of a pixel: a report is smaller so, and the same on every machine. */
export function px(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Points as an attribute of polyline and polygon. */
export function points(of: readonly (readonly [number, number])[]): string {
  return of.map(([x, y]) => `${px(x)},${px(y)}`).join(" ");
}
