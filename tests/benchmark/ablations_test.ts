import { assertEquals } from "@std/assert";
import { withAblation } from "../../lib/benchmark/ablations.ts";
import { planGrid } from "../../lib/benchmark/plan.ts";
import type { Ablation } from "../../lib/benchmark/settings.ts";
import { TINY_GRID } from "./tiny_grid.ts";

const grid = { ...TINY_GRID, data: [{ ...TINY_GRID.data[0], forget: [1, 2, 4] }] };
const variants = (ablation: Ablation) =>
  withAblation(grid, ablation).methods.flatMap((row) => row.method === "metaunlearn" ? [row] : []);

Deno.test("withAblation makes Table 5's variants of the auxiliary loss", () => {
  const forms = variants("auxiliary-loss").map(({ name, metaLearning }) => {
    const { terms, scaled, distance } = metaLearning!.form!;
    return [name, terms, scaled, distance];
  });
  assertEquals(forms, [
    ["SCRUB", "scrub", true, "smooth_l1"],
    ["First term", "first", false, "smooth_l1"],
    ["First term + accuracy", "first", true, "smooth_l1"],
    ["Second term", "second", false, "smooth_l1"],
    ["Second term + accuracy", "second", true, "smooth_l1"],
    ["First & second", "both", false, "smooth_l1"],
    ["First & second + accuracy", "both", true, "smooth_l1"],
  ]);
});

Deno.test("withAblation adds Table 6's inputs one by one", () => {
  const inputs = variants("inputs").map(({ name, metaLearning }) => [name, metaLearning!.inputs]);
  assertEquals(inputs, [
    ["logits", ["logits"]],
    ["+ features", ["logits", "features"]],
    ["+ identities", ["logits", "features", "identities"]],
    ["+ targets", ["logits", "features", "targets", "identities"]],
  ]);
});

Deno.test("withAblation meets every N_S of the grid with every request, as Table 7", () => {
  const sizes = variants("request-size").map(({ metaLearning }) => metaLearning!.requestSize);
  assertEquals(sizes, [2, 4]);
  const one = withAblation(TINY_GRID, "request-size");
  assertEquals(one.methods.map(({ name }) => name), ["N_S 2", "N_S 4"]);
});

Deno.test("withAblation shares with its grid all that comes before meta-learning", () => {
  const names = (of: typeof grid) =>
    new Set(planGrid(of, "/grid", "d").stages.map(({ out }) => out));
  const own = names(grid);
  const anew = planGrid(withAblation(grid, "inputs"), "/grid", "d").stages
    .filter(({ out }) => !own.has(out)).map(({ task }) => task.kind);
  assertEquals(new Set(anew), new Set(["meta-learn", "unlearn", "measure"]));
});
