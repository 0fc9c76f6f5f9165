import { assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { letheSteps } from "../../../lib/bench/lethe_steps.ts";
import { stockSteps } from "../../../lib/bench/stock/steps.ts";
import { letheLayout } from "../../../lib/bench/stock/vit.ts";
import { makeWorkload } from "../../../lib/bench/workload.ts";
import { disposeWeights, type Weights } from "../../../lib/tensor/weights.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";
import { SMALL_WORKLOAD } from "../small_workload.ts";

/** Largest difference between two sets, tensor by tensor, relative to the tensor's largest magnitude. */
async function largestError(ours: Weights, stock: Weights, names?: RegExp): Promise<number> {
  const turned = letheLayout(stock, ours);
  assertEquals(Object.keys(turned), Object.keys(ours));
  let largest = 0;
  for (const [name, tensor] of Object.entries(ours)) {
    if (names && !names.test(name)) continue;
    assertEquals(turned[name].shape, tensor.shape);
    const [a, b] = await Promise.all([tensor.data<"float32">(), turned[name].data<"float32">()]);
    const size = b.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-5);
    a.forEach((x, i) => largest = Math.max(largest, Math.abs(x - b[i]) / size));
  }
  disposeWeights(turned);
  return largest;
}

onEachDevice("stockSteps computes what Lethe's steps compute", async () => {
  const workload = await makeWorkload(SMALL_WORKLOAD, 0);
  const [ours, stock] = [letheSteps(workload), stockSteps(workload)];
  const { forget } = workload.images;

  const [own, other] = [ours.trainingStep(forget), stock.trainingStep(forget)];
  const losses = await Promise.all([own.value.data(), other.value.data()]);
  assertLess(Math.abs(losses[0][0] - losses[1][0]), 1e-6);
  assertLess(await largestError(own.gradients, other.gradients), 2e-4);
  tf.dispose([own.value, other.value]);

  const logits = await Promise.all([ours.evaluation(forget), stock.evaluation(forget)]);
  logits[0].forEach((x, i) => assertLess(Math.abs(x - logits[1][i]), 1e-5));

  const unlearned = [await ours.unlearningStep(), await stock.unlearningStep()];
  assertLess(await largestError(unlearned[0], unlearned[1]), 1e-5);

  // The stock one is a central difference: right to a few per cent only.
  const meta = [await ours.metaStep(), await stock.metaStep()];
  assertLess(await largestError(meta[0], meta[1]), 0.05);

  [own.gradients, other.gradients, ...unlearned, ...meta].forEach(disposeWeights);
  ours.dispose();
  stock.dispose();
  workload.dispose();
});
