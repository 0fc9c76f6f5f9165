import { assertEquals } from "@std/assert";
import { TargetTable } from "../../lib/data/target_table.ts";
import { Random } from "../../lib/random.ts";

Deno.test("TargetTable gives back the labels that were added, as lists and as rows", () => {
  const random = new Random(0, "targets");
  for (const labels of [1, 7, 8, 9, 40]) {
    const table = new TargetTable("multi-label", labels);
    const all = Array.from(
      { length: 150 },
      () => Array.from({ length: labels }, () => random.integer(2)),
    );
    assertEquals(all.map((targets) => table.add(targets)), all.map((_, row) => row));
    const again = new TargetTable("multi-label", labels, table.bytes.slice());
    for (const [row, targets] of all.entries()) {
      assertEquals(table.targets(row), targets);
      assertEquals(again.targets(row), targets);
      const rows = new Float32Array(2 * labels);
      again.write(row, rows, labels);
      assertEquals([...rows], [...new Array(labels).fill(0), ...targets]);
    }
  }
});

Deno.test("TargetTable keeps classes beyond a byte's and writes them one-hot", () => {
  const table = new TargetTable("classes", 70_000);
  const classes = [0, 255, 256, 69_999];
  for (const of of classes) table.add([of]);
  const again = new TargetTable("classes", 70_000, table.bytes);
  assertEquals(classes.map((_, row) => again.targets(row)), classes.map((of) => [of]));
  const rows = new Float32Array(70_000);
  again.write(3, rows, 0);
  assertEquals([rows[69_999], rows.reduce((sum, value) => sum + value)], [1, 1]);
});
