import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { distanceFigure } from "../../lib/report/distance_figure.ts";
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
  assertEquals(curve, "0,190 190,0");
  const [band] = text.match(/band" points="([^"]*)"/)!.slice(1);
  assertEquals(band, "0,0 190,0 190,190 0,190");
});

Deno.test("tugOfWarFigure draws a dot per seed and a bar per method, 100 at the right edge", () => {
  const perfect = cells.map((cell) => cell.method === "SSD" ? { ...cell, tugOfWar: 1 } : cell);
  const { text } = tugOfWarFigure(perfect, methods);
  assertEquals(text.split('<circle class="dot"').length - 1, 6);
  assertEquals(text.split('<line class="mean"').length - 1, 3);
  assertStringIncludes(text, '<circle class="dot" cx="420"');
});

Deno.test("distanceFigure draws each bin over its range, and the line of no change", () => {
  const bins = [
    { from: 0, to: 1, people: 3, mean: 0.1 },
    { from: 1, to: 2, people: 2, mean: -0.1 },
  ];
  const { text } = distanceFigure(bins, { title: "t", caption: "c", x: "x", y: "y" });
  const ranges = [...text.matchAll(/range" x1="([^"]*)" x2="([^"]*)" y1="([^"]*)"/g)]
    .map((match) => match.slice(1).map(Number));
  assertEquals(ranges.map(([left, right]) => [left, right]), [[0, 150], [150, 300]]);
  const zero = Number(text.match(/zero"[^>]*y1="([^"]*)"/)![1]);
  assert(ranges[0][2] < zero && zero < ranges[1][2]);
  assertStringIncludes(text, "3 people from 0.00 to 1.00: 10.0");
});
