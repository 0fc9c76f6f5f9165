import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { everyIndex } from "../../lib/data/loader/image_source.ts";
import { predict, Predictor } from "../../lib/model/predict.ts";
import { disposeWeights, mapWeights } from "../../lib/tensor/weights.ts";
import { activeWebgpu } from "../../lib/tensor/recording/owned_tensor.ts";
import { useRecording } from "../../lib/tensor/recording/recorded.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";
import { TOY_SHAPE, toyObjective } from "../unlearn/toy_objective.ts";

onEachDevice(
  "predict without features gives the same logits, and none of the features",
  async () => {
    const { theta, phi, objective: { source } } = await toyObjective(5);
    const both = await predict(theta, TOY_SHAPE, source, [4, 0, 2], 2);
    const logits = await predict(theta, TOY_SHAPE, source, [4, 0, 2], 2, undefined, "logits");
    assertEquals(logits.logits, both.logits);
    assertEquals([logits.features.length, both.features.length], [0, 3 * TOY_SHAPE.dim]);
    disposeWeights(theta);
    disposeWeights(phi);
  },
);

onEachDevice(
  "predict gives the same bits batch by batch, recorded and with a predictor of other calls",
  async () => {
    const { theta, phi, objective: { source } } = await toyObjective(5);
    const other = mapWeights(theta, (tensor) => tf.mul(tensor, 0.5));
    const all = [4, 0, 2, 1, 3, 0, 1];
    useRecording(false);
    const due = await predict(theta, TOY_SHAPE, source, all, 2);
    useRecording(true);
    const predictor = new Predictor(TOY_SHAPE);
    await predict(other, TOY_SHAPE, source, all, 2, undefined, "both", predictor);
    assertEquals(
      await predict(theta, TOY_SHAPE, source, all, 2, undefined, "both", predictor),
      due,
    );
    assertEquals(await predict(theta, TOY_SHAPE, source, all, 2), due);
    predictor.dispose();
    for (const weights of [theta, phi, other]) disposeWeights(weights);
  },
);

onEachDevice("predict of every index says what it says of their list", async () => {
  const { theta, phi, objective: { source } } = await toyObjective(5);
  for (const size of [2, 5, 8]) {
    const due = await predict(theta, TOY_SHAPE, source, [0, 1, 2, 3, 4], size);
    assertEquals(await predict(theta, TOY_SHAPE, source, everyIndex(5), size), due);
  }
  disposeWeights(theta);
  disposeWeights(phi);
});

onEachDevice("predict replays each batch and reads once in several of them", async () => {
  const backend = activeWebgpu();
  if (!backend) return;
  const { theta, phi, objective: { source } } = await toyObjective(24);
  const all = Array.from({ length: 24 }, (_, i) => i);
  const { replayed, dispatched, reads: { told: { all: reads } } } = backend;
  await predict(theta, TOY_SHAPE, source, all, 2, undefined, "logits");
  const programs = backend.replayed - replayed;
  assert(programs > 0 && programs % 12 === 0, `${programs} programs for 12 batches`);
  assertEquals(backend.dispatched, dispatched, "op by op");
  // However slow the adapter is: two batches at least go into a read.
  assert(backend.reads.told.all - reads <= 6, `${backend.reads.told.all - reads} reads`);
  disposeWeights(theta);
  disposeWeights(phi);
});
