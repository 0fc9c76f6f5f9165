import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { fromFileUrl, join } from "@std/path";
import { parseSafetensors } from "../../lib/model/safetensors.ts";
import { readGolden } from "../../lib/selfcheck/golden.ts";
import { selfcheckCompared } from "../../lib/selfcheck/selfcheck_compared.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";

const folder = fromFileUrl(new URL("../../fixtures/golden", import.meta.url));
const golden = await readGolden(folder);
const path = join(folder, "compared_expected.safetensors");
const expected = parseSafetensors(await Deno.readFile(path), path).weights;

onEachDevice("selfcheckCompared finds every method where PyTorch has it", async () => {
  const before = tf.memory().numTensors;
  for (const microBatch of [Infinity, 3]) {
    const groups = await selfcheckCompared(golden, expected, microBatch);
    assertEquals(groups.reduce((sum, { tensors }) => sum + tensors, 0), expected.size);
    for (const { name, failed, relativeError, worst } of groups) {
      assertEquals([name, failed], [name, []], `${worst}: ${relativeError}`);
    }
  }
  assertEquals(tf.memory().numTensors, before);
});

onEachDevice("selfcheckCompared names the tensors that differ", async () => {
  const names = [
    "influence.theta.head.weight",
    "reference_tuning.theta.cls_token",
    "updates.norm.bias",
  ];
  const changed = new Map(expected);
  for (const name of names) {
    const { values, ...rest } = expected.get(name)!;
    const moved = Float32Array.from(values);
    moved[0] += 0.01 * Math.max(...moved.map(Math.abs)); // ten times what is let pass
    changed.set(name, { ...rest, values: moved });
  }
  const groups = await selfcheckCompared(golden, changed);
  assertEquals(groups.flatMap(({ failed }) => failed).toSorted(), names);
});
