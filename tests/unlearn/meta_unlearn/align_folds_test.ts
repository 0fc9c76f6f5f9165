import { assert, assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { activeWebgpu } from "../../../lib/tensor/recording/owned_tensor.ts";
import { disposeWeights } from "../../../lib/tensor/weights.ts";
import { type Answers, divergenceGradient } from "../../../lib/unlearn/memory/divergence.ts";
import type { MetaObjective } from "../../../lib/unlearn/meta_unlearn/meta_objective.ts";
import { metaStep } from "../../../lib/unlearn/meta_unlearn/open_meta_step.ts";
import { supportOf } from "../../../lib/unlearn/meta_unlearn/support.ts";
import { objectiveGradient } from "../../../lib/unlearn/meta_unlearn/objective_gradient.ts";
import { onHost } from "../../tensor/directions.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";
import { TOY_LABELS, TOY_SHAPE, toyObjective } from "../toy_objective.ts";

/** Some answers that differ from image to image and label to label. */
const REFERENCE: Answers = (indices) =>
  Float32Array.from(
    indices.flatMap((i) => Array.from({ length: TOY_LABELS }, (_, l) => ((i + l) % 5 + 0.5) / 6)),
  );
const FOLDS = { distance: "smooth_l1", terms: "both", scaled: true, align: "folds" } as const;
const [FORGET, MORE, VAL] = [[0, 1, 2, 3], [4, 5], [6, 7]];

async function toy(change: Partial<MetaObjective> = {}) {
  const { theta, phi, objective } = await toyObjective(10);
  return { theta, phi, objective: { ...objective, form: FOLDS, reference: REFERENCE, ...change } };
}

onEachDevice(
  "objectiveGradient with align folds is the divergence from the references",
  async () => {
    const { theta, phi, objective } = await toy({ microBatch: 3 });
    const before = tf.memory().numTensors;
    const batches = [FORGET, MORE].map((forget) => ({ forget, val: VAL, keep: [] }));
    const { value, v, forget } = await objectiveGradient(theta, objective, batches);
    const backbone = { shape: TOY_SHAPE, microBatch: 16 };
    const all = [...FORGET, ...MORE];
    const { task, source } = objective;
    const due = await divergenceGradient(theta, backbone, task, source, all, REFERENCE);
    assertLess(Math.abs(value - due.value), 1e-5);
    const [own, expected] = [await onHost(v), await onHost(due.gradients)];
    for (const name of Object.keys(own)) {
      const most = Math.max(...expected[name].map(Math.abs), 1e-3);
      for (const [i, x] of own[name].entries()) {
        assertLess(Math.abs(x - expected[name][i]), 1e-4 * most, name);
      }
    }
    assert(forget.loss > 0);
    for (const weights of [v, due.gradients]) disposeWeights(weights);
    assertEquals(tf.memory().numTensors, before);
    for (const weights of [theta, phi]) disposeWeights(weights);
  },
);

onEachDevice(
  "metaStep with align folds follows the references, unrecorded on any device",
  async () => {
    const { theta, phi, objective } = await toy();
    const step = metaStep(objective, theta, { phi });
    const support = await supportOf(objective, { support: [8, 9], rows: [0, 1] });
    const values: number[] = [];
    const before = activeWebgpu()?.replayed;
    for (let i = 0; i < 12; i++) {
      const batches = [{ forget: FORGET, val: VAL, keep: [] }];
      await step.take(support, batches, { phi: 0.02, stepSizes: 0 }, (value) => values.push(value));
    }
    await step.finish();
    assertEquals(activeWebgpu()?.replayed, before);
    assertLess(values.at(-1)!, values[0] - 1e-3, `${values}`);
    step.dispose();
    tf.dispose(Object.values(support).filter((each) => each instanceof tf.Tensor));
    disposeWeights(theta);
  },
);
