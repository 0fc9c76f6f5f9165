import { assertEquals } from "@std/assert";
import { percent, table } from "../../cli/output/table.ts";

Deno.test("table sets names to the left, numbers and their gaps to the right, notes below", () => {
  const lines = table(
    ["model", "retain", "spread", "verdict"],
    [
      ["pretrain", "84.8", "1.5 ± 0.2", "ok"],
      ["10 epochs", "5.0", "-0.1", "2 FAILED"],
      ["étoile", "-"],
    ],
    ["metrics in percent"],
  );
  assertEquals(lines, [
    "model      retain     spread  verdict",
    "---------  ------  ---------  --------",
    "pretrain     84.8  1.5 ± 0.2  ok",
    "10 epochs     5.0       -0.1  2 FAILED",
    "étoile          -",
    "metrics in percent",
  ]);
});

Deno.test("table without rows shows its header", () => {
  assertEquals(table(["a", "bc"], []), ["a  bc", "-  --"]);
});

Deno.test("percent rounds to one decimal, shows a gap as a dash and no negative zero", () => {
  assertEquals([0.8347, 1, 0, -0.0001, -0.012, null, undefined, NaN].map(percent), [
    "83.5",
    "100.0",
    "0.0",
    "0.0",
    "-1.2",
    "-",
    "-",
    "-",
  ]);
});
