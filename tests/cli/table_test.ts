import { assertEquals } from "@std/assert";
import { percent, table } from "../../cli/table.ts";

Deno.test("table sets names to the left and numbers to the right", () => {
  assertEquals(table(["model", "retain"], [["pretrain", "84.8"], ["x", "5.0"]]), [
    "model     retain",
    "--------  ------",
    "pretrain    84.8",
    "x            5.0",
  ]);
});

Deno.test("percent rounds to one decimal and shows a gap as a dash", () => {
  assertEquals([0.8347, 1, 0, null].map(percent), ["83.5", "100.0", "0.0", "-"]);
});
