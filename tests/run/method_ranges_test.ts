import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { imagesInMemory } from "../../lib/data/loader/images_in_memory.ts";
import { storedSource } from "../../lib/data/loader/stored_source.ts";
import { uploadWeights } from "../../lib/model/device_weights.ts";
import { inputFormat } from "../../lib/model/input_format.ts";
import type { MemoryRow } from "../../lib/model/kit/memory_row.ts";
import type { Weight } from "../../lib/model/safetensors.ts";
import { Random } from "../../lib/random.ts";
import { rowsOf } from "../../lib/run/memory/kept_rows.ts";
import { memoryRange, methodRange } from "../../lib/run/meta_learning/method_ranges.ts";
import { openDevice } from "../../lib/tensor/device.ts";
import { disposeWeights } from "../../lib/tensor/weights.ts";
import { methodOf, type MethodSettings } from "../../lib/unlearn/methods.ts";
import { kitWithStatistics } from "../model/kit_with_statistics.ts";
import { SMALL_CONFIG } from "../model/small_kit.ts";

const PEOPLE = 4;
const SIDE = SMALL_CONFIG.imageSize;

/** Four people of one picture each, and a kit's model and statistics. */
async function simulate() {
  await openDevice("wasm");
  const kit = kitWithStatistics([]);
  const names = Array.from({ length: PEOPLE }, (_, i) => `${i}.png`);
  const rgb = Uint8Array.from({ length: PEOPLE * SIDE * SIDE * 3 }, (_, i) => (i * 37) % 256);
  const source = storedSource(
    imagesInMemory(SIDE, rgb, names),
    names.map((file) => ({ file, identity: file, targets: [1, 0] })),
    inputFormat(SMALL_CONFIG),
  );
  const theta = { device: uploadWeights(kit.model.theta), host: kit.model.theta };
  const people = names.map((_, row) => ({ row, images: [row] }));
  const random = new Random(1, "ranges");
  const simulated = { people, heldOut: false, requestSize: 2, source, random, theta };
  return { kit, simulated };
}

for (const name of ["ssd", "pgu", "jit", "influence"] as const) {
  Deno.test(`methodRange of ${name} tells how far its steps go on requests of one and of N_S`, async () => {
    const { kit, simulated } = await simulate();
    const statistics = {
      importances: uploadWeights(kit.statistics!.importances!),
      covariances: uploadWeights(kit.statistics!.covariances!),
    };
    const tensors = tf.memory().numTensors;
    const settings = kit.manifest.methods![name] as MethodSettings;
    const measure = (settings: MethodSettings) =>
      methodRange(methodOf(name), settings, statistics, simulated, {
        ...{ config: SMALL_CONFIG, microBatch: 4 },
      });
    const range = (await measure(settings))!;
    // Three of one person, and the two that four people fill.
    assertEquals([range.requests, range.heldOut], [5, false]);
    assert(0 < range.low && range.low <= range.high && range.high < Infinity);
    assertEquals(await measure(settings), range, "the same people and draws again");
    if (name !== "ssd") {
      const none = await measure({ ...settings, learningRate: 0 });
      assertEquals(none, undefined, "steps of nothing are no range");
    }
    assertEquals(tf.memory().numTensors, tensors);
    for (const weights of [statistics.importances, statistics.covariances]) disposeWeights(weights);
    disposeWeights(simulated.theta.device);
  });
}

Deno.test("memoryRange tells how far the rows of simulated requests go, at the scale of their size", async () => {
  const { kit, simulated } = await simulate();
  const theta = kit.model.theta;
  const [name, { shape, values }] = [...theta][0];
  // One number of one tensor each, of the person's own: no two add up.
  const rows = rowsOf(simulated.people.map(({ row }): MemoryRow => ({
    step: new Map([[
      name,
      { whole: Float32Array.from(values, (_, i) => i === row ? 1 + row : 0) },
    ]]),
    centroid: new Float32Array(SMALL_CONFIG.dim),
  })));
  const scales = [[1, 3], [2, 1]].map(([people, scale]) => ({
    people,
    scale: { scale, tugOfWar: 1, lost: 0 },
    trials: [],
  }));
  const tensors = tf.memory().numTensors;
  const range = (await memoryRange({ rank: null, layers: "all", rows, scales }, simulated))!;
  assertEquals(tf.memory().numTensors, tensors);
  assert(shape.length > 0 && range.requests === 5);
  const norm = (some: Iterable<Weight>) =>
    Math.hypot(...[...some].flatMap(({ values }) => [...values]));
  const all = norm(theta.values());
  // One person's row is taken three times as far as two people's.
  const steps = [1, 2, 3, 4].map((row) => 3 * row / all);
  assert(steps.some((step) => Math.abs(step - range.high) < 1e-6 * step));
  const pairs = [1, 2, 3].flatMap((a) => [a + 1, 4].map((b) => Math.hypot(a, b) / all));
  assert([...steps, ...pairs].some((step) => Math.abs(step - range.low) < 1e-6 * step));
  disposeWeights(simulated.theta.device);
});
