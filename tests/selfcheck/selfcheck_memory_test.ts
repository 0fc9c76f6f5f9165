import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { fromFileUrl, join } from "@std/path";
import { parseSafetensors } from "../../lib/model/safetensors.ts";
import { readGolden } from "../../lib/selfcheck/golden.ts";
import { selfcheckMemory } from "../../lib/selfcheck/selfcheck_memory.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";

const folder = fromFileUrl(new URL("../../fixtures/golden", import.meta.url));
const golden = await readGolden(folder);
const path = join(folder, "memory_expected.safetensors");
const expected = parseSafetensors(await Deno.readFile(path), path).weights;

onEachDevice(
  "selfcheckMemory finds rows, step and settings' gradients where PyTorch has them",
  async () => {
    const before = tf.memory().numTensors;
    for (const microBatch of [Infinity, 4]) {
      const { tensors, failed, relativeError, worst } = await selfcheckMemory(
        golden,
        expected,
        microBatch,
      );
      assertEquals([tensors, failed], [expected.size, []], `${worst}: ${relativeError}`);
    }
    assertEquals(tf.memory().numTensors, before);
  },
);

onEachDevice("selfcheckMemory names the tensors that differ", async () => {
  const names = ["power.head.weight", "row.cls_token", "step.head.weight", "theta.norm.bias"];
  const changed = new Map(expected);
  for (const name of names) {
    const { values, ...rest } = expected.get(name)!;
    const moved = Float32Array.from(values);
    moved[0] += 0.02 * Math.max(...moved.map(Math.abs)) + 1e-5;
    changed.set(name, { ...rest, values: moved });
  }
  assertEquals((await selfcheckMemory(golden, changed)).failed.toSorted(), names);
});
