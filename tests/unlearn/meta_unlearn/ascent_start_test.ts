import { assertEquals, assertGreater, assertLess, assertNotEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Task } from "../../../lib/data/sample.ts";
import { initialMetaLoss, metaLossRows } from "../../../lib/model/meta_loss/meta_loss.ts";
import { taskLoss } from "../../../lib/model/task_loss.ts";
import { plain } from "../../../lib/tensor/algebra.ts";
import { Random } from "../../../lib/random.ts";
import { disposeWeights, valueAndGradients, type Weights } from "../../../lib/tensor/weights.ts";
import { type AscentSamples, ascentStart } from "../../../lib/unlearn/meta_unlearn/ascent_start.ts";
import { inner, onHost } from "../../tensor/directions.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";

/** The informative ones: noise in the others' place takes more steps to see through. */
const INPUTS = ["logits", "targets"] as const;
const [LABELS, DIM, PEOPLE] = [3, 4, 5];
/** Several images of each person. */
const IMAGES = 60;

/** What a head says that is right about all its images, as of people it knows by heart. */
function samples(task: Task, seed: number): AscentSamples {
  const random = new Random(seed, `${task} samples`);
  const normal = (length: number) => Float32Array.from({ length }, () => random.normal());
  const logits = normal(IMAGES * LABELS).map((x) => 2 * x);
  const right = (row: number, label: number) => {
    const own = logits.subarray(row * LABELS, (row + 1) * LABELS);
    return task === "multi-label" ? own[label] > 0 : own[label] === Math.max(...own);
  };
  return {
    task,
    labels: LABELS,
    dim: DIM,
    logits,
    features: normal(IMAGES * DIM),
    targets: logits.map((_, i) => Number(right(Math.floor(i / LABELS), i % LABELS))),
    rows: Array.from({ length: IMAGES }, (_, i) => i % PEOPLE),
  };
}

function freshPhi(): Weights {
  return initialMetaLoss({
    inputs: INPUTS,
    labels: LABELS,
    dim: DIM,
    identities: PEOPLE,
    embeddingSize: 2,
    hidden: 32,
  }, new Random(1, "phi"));
}

/** How the gradient of h by the images' logits and features compares with that of -L_task. */
async function alignment(
  phi: Weights,
  { task, logits, features, targets, rows }: AscentSamples,
) {
  const given = {
    logits: tf.tensor2d(logits, [IMAGES, LABELS]),
    features: tf.tensor2d(features, [IMAGES, DIM]),
  };
  const truth = tf.tensor2d(targets, [IMAGES, LABELS]);
  const h = valueAndGradients(
    ({ logits, features }) =>
      tf.sum(metaLossRows(plain, phi, { logits, features }, { targets: truth, rows }, INPUTS)),
    given,
  );
  const ascent = valueAndGradients(
    ({ logits }) => tf.mul(taskLoss(task, logits, truth), -IMAGES),
    given,
  );
  const along = await inner(h.gradients, ascent.gradients);
  const wanted = await inner(ascent.gradients, ascent.gradients);
  const length = await inner(h.gradients, h.gradients);
  for (const set of [given, h.gradients, ascent.gradients]) disposeWeights(set);
  tf.dispose([truth, h.value, ascent.value]);
  return {
    cosine: along / Math.sqrt(wanted * length),
    /** 1 where h climbs as steeply as -L_task does. */
    steepness: along / wanted,
  };
}

for (const task of ["multi-label", "classes"] as const) {
  onEachDevice(`ascentStart turns h into ascent on the loss of ${task}`, async () => {
    const fresh = freshPhi();
    const before = await onHost(fresh);
    const fitted = await ascentStart(fresh, INPUTS, samples(task, 0), new Random(2, "fit"));
    assertEquals(await onHost(fresh), before, "the caller's phi stays as it was");

    // Other images than those that it was fitted on. Over four seeds: 0.85 to 0.95 and 0.70 to 0.99.
    const unseen = samples(task, 1);
    const { cosine, steepness } = await alignment(fitted, unseen);
    assertLess(Math.abs((await alignment(fresh, unseen)).cosine), 0.3);
    assertGreater(cosine, 0.8);
    assertGreater(steepness, 0.6);
    assertLess(steepness, 1.2);
    disposeWeights(fresh);
    disposeWeights(fitted);
  });
}

onEachDevice("ascentStart gives the same bits for the same seed", async () => {
  const fresh = freshPhi();
  const fits = [];
  for (const _ of [1, 2]) {
    const random = new Random(3, "fit");
    const fitted = await ascentStart(fresh, INPUTS, samples("multi-label", 0), random);
    assertNotEquals(
      random.uniform(),
      new Random(3, "fit").uniform(),
      "it draws from the given one",
    );
    fits.push(await onHost(fitted));
    disposeWeights(fitted);
  }
  assertEquals(fits[0], fits[1]);
  disposeWeights(fresh);
});
