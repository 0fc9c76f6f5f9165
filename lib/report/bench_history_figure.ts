// @ts-types="@types/d3-scale"
import { scaleLinear, scaleLog } from "d3-scale";
import type { BenchRun } from "../bench/history.ts";
import { html } from "./markup.ts";
import { plot, points, px } from "./plot.ts";

const [WIDTH, HEIGHT] = [560, 260];
/** Dashes that tell the steps apart in black and white too. */
const DASHES = ["", "6 3", "2 3", "8 3 2 3", "1 4"];

/**
 * How many times faster than stock tfjs each step was, run after run, as an SVG file.
 *
 * @param runs oldest first, at least one
 */
export function benchHistoryFigure(runs: readonly BenchRun[]): string {
  const names = [...new Set(runs.flatMap(({ ratios }) => Object.keys(ratios)))];
  const values = runs.flatMap(({ ratios }) => Object.values(ratios));
  const [low, high] = [Math.min(1, ...values), Math.max(2, ...values)];
  const x = scaleLinear([0, Math.max(1, runs.length - 1)], [0, WIDTH]);
  const y = scaleLog([low, high], [HEIGHT, 0]).nice();
  const marks = names.map((name, k) => {
    const way = runs.flatMap(({ ratios }, i) =>
      name in ratios ? [[x(i), y(ratios[name])] as const] : []
    );
    const [end] = way.slice(-1);
    return html`
      <polyline fill="none" stroke="currentColor" stroke-dasharray="${DASHES[
        k % DASHES.length
      ]}" points="${points(way)}" />
      <circle cx="${px(end[0])}" cy="${px(end[1])}" r="3" />
      <text x="${px(end[0] + 6)}" y="${px(end[1] + 4)}" font-size="12">${name}</text>
    `;
  });
  const figure = plot({ width: WIDTH, height: HEIGHT, left: 60, bottom: 42 }, {
    title: "Times faster than stock tfjs",
    description: `${names.join(", ")} over ${runs.length} runs of deno task bench`,
    x: {
      scale: x,
      ticks: runs.map(({ date, commit }, at) => ({
        at,
        text: runs.length > 8 && at % Math.ceil(runs.length / 8) > 0
          ? ""
          : commit?.slice(0, 7) ?? date.slice(0, 10),
      })),
      label: "run",
    },
    y: { scale: y, ticks: y.ticks(5).map((at) => ({ at, text: String(at) })), label: "ratio" },
    marks,
  });
  const room =
    `<svg xmlns="http://www.w3.org/2000/svg" style="font-family:sans-serif" overflow="visible"`;
  return figure.text.trim().replace("<svg", room).replace(
    /width="(\d+)"/,
    (_, w) => `width="${Number(w) + 90}"`,
  )
    .replace(/viewBox="0 0 (\d+)/, (_, w) => `viewBox="0 0 ${Number(w) + 90}`)
    .replaceAll('class="grid"', 'stroke="currentColor" stroke-opacity="0.15"') + "\n";
}
