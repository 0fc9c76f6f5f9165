import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { readGolden } from "../../lib/selfcheck/golden.ts";
import { selfcheckMethods } from "../../lib/selfcheck/selfcheck_methods.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";

const golden = await readGolden(fromFileUrl(new URL("../../fixtures/golden", import.meta.url)));
const METHODS = ["SSD", "PGU", "JiT", "SCRUB", "Bad Teacher"];

onEachDevice("selfcheckMethods finds every method where PyTorch has it, in one pass", async () => {
  const groups = await selfcheckMethods(golden);
  assertEquals(groups.map(({ name, failed }) => [name, failed]), METHODS.map((name) => [name, []]));
  const [ssd, pgu] = groups;
  // Of some 95,000 elements; more on the edge would hide a wrong importance.
  assert(ssd.onEdge! < 500, `${ssd.onEdge} elements on the edge`);
  assertEquals(pgu.onEdge, 0);
});

onEachDevice("selfcheckMethods finds the same when a batch takes several passes", async () => {
  for (const { name, failed } of await selfcheckMethods(golden, 3)) {
    assertEquals([name, failed], [name, []]);
  }
});

/** A tensor of each method, in their order. */
const MOVED = [
  "ssd.importance.train.head.weight",
  "pgu.covariance.blocks.1.mlp.fc2",
  "jit.loss",
  "scrub.theta.norm.weight",
  "bad_teacher.theta.head.weight",
];

onEachDevice("selfcheckMethods names the one tensor of each method that differs", async () => {
  const expected = new Map(golden.methods.expected);
  for (const tensor of MOVED) {
    const { values, ...rest } = expected.get(tensor)!;
    const changed = Float32Array.from(values);
    changed[0] += 0.01 * Math.max(...changed.map(Math.abs)); // ten times what is let pass
    expected.set(tensor, { ...rest, values: changed });
  }
  const groups = await selfcheckMethods({ ...golden, methods: { ...golden.methods, expected } });
  assertEquals(groups.map(({ failed }) => failed), MOVED.map((tensor) => [tensor]));
});
