import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { distanceFigure } from "../../lib/report/distance_figure.ts";
import { historySvg } from "../../lib/report/history_figure.ts";
import { linearAxis } from "../../lib/report/linear_axis.ts";
import { rocFigure } from "../../lib/report/roc_figure.ts";
import { tugOfWarFigure } from "../../lib/report/tug_of_war_figure.ts";
import { smallResults } from "./small_results.ts";

const { cells } = smallResults();
const methods = ["Pretrain", "MetaUnlearn", "SSD"];

Deno.test("rocFigure has a panel per method, a curve and a band per seed", () => {
  const { text } = rocFigure(cells, methods);
  assertEquals(text.split('<svg class="plot"').length - 1, 3);
  assertEquals(text.split('<polyline class="curve').length - 1, 6);
  assertEquals(text.split('<polygon class="band"').length - 1, 6);
});

Deno.test("rocFigure puts a decade of rates at equal distances, and a rate of 0 on the edge", () => {
  const [first] = cells;
  const roc = [0.1, 1].map((fpr) => ({ fpr, tpr: fpr, low: 0, high: 1 }));
  const { text } = rocFigure([{ ...first, membership: { ...first.membership, roc } }], methods);
  const [curve] = text.match(/curve[^>]*points="([^"]*)"/)!.slice(1);
  assertEquals(curve, "0,240 240,0");
  const [band] = text.match(/band" points="([^"]*)"/)!.slice(1);
  assertEquals(band, "0,0 240,0 240,240 0,240");
});

Deno.test("tugOfWarFigure draws a dot per seed and a bar per method, 100 at the right edge", () => {
  const perfect = cells.map((cell) => cell.method === "SSD" ? { ...cell, tugOfWar: 1 } : cell);
  const { text } = tugOfWarFigure(perfect, methods);
  assertEquals(text.split('<circle class="dot"').length - 1, 6);
  assertEquals(text.split('<line class="mean"').length - 1, 3);
  assertStringIncludes(text, '<circle class="dot" cx="860"');
});

Deno.test("distanceFigure draws each bin over its range, and the line of no change", () => {
  const bins = [
    { from: 0, to: 1, people: 3, mean: 0.1 },
    { from: 1, to: 2, people: 2, mean: -0.1 },
  ];
  const { text } = distanceFigure(bins, { title: "t", caption: "c", x: "x", y: "y" });
  const ranges = [...text.matchAll(/range" x1="([^"]*)" x2="([^"]*)" y1="([^"]*)"/g)]
    .map((match) => match.slice(1).map(Number));
  assertEquals(ranges.map(([left, right]) => [left, right]), [[0, 210], [210, 420]]);
  const zero = Number(text.match(/zero"[^>]*y1="([^"]*)"/)![1]);
  assert(ranges[0][2] < zero && zero < ranges[1][2]);
  assertStringIncludes(text, "3 people from 0.00 to 1.00: 10.0");
});

Deno.test("linearAxis shows numbers as people write them, however near its values lie", () => {
  const texts = (values: number[]) =>
    linearAxis(values, [0, 100], "x").ticks.map(({ text }) => text);
  const cases = [[1.7482202880918516], [1.7482202880918516, 1.7482202880918518], [
    0.1,
    0.30000000000000004,
  ]]
    .concat([[-0.05, 0.05], [1e-5, 3e-5], [0, 100], [99.123456789, 99.2]]);
  for (const values of cases) {
    const shown = texts(values);
    assert(shown.length >= 2, `${values}`);
    assertEquals(new Set(shown).size, shown.length, `${values}: ${shown}`);
    for (const text of shown) assert(text.length <= 9 && text !== "-0", `${values}: ${text}`);
  }
  assertEquals(texts([-0.05, 0.05]), ["-0.06", "-0.04", "-0.02", "0.00", "0.02", "0.04", "0.06"]);
  assertEquals(texts([0, 100]), ["0", "20", "40", "60", "80", "100"]);
});

Deno.test("historySvg is one well-formed picture with a panel per curve that has values", () => {
  const text = historySvg([
    { title: "loss <of> training", label: "loss", values: [0.7, 0.5, NaN] },
    { title: "held out", label: "percent", values: [NaN, NaN, NaN] },
    { title: "one", label: "percent", values: [50] },
  ], 2);
  assertEquals(text.split("<polyline").length - 1, 2);
  assertEquals(text.split("<circle").length - 1, 3);
  assertEquals(text.split('class="chosen"').length - 1, 2);
  assertMatch(text, /loss &(lt|#60);of&(gt|#62); training/);
  assert(!/NaN|undefined|Infinity/.test(text), text);
  for (const tag of ["svg", "g", "text"]) {
    const opened = text.split(new RegExp(`<${tag}[ >]`)).length;
    assertEquals(text.split(`</${tag}>`).length, opened, tag);
  }
});
