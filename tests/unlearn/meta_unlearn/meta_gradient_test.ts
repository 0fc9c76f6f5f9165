import { assert, assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { peakBytes } from "../../../lib/bench/peak_bytes.ts";
import { Random } from "../../../lib/random.ts";
import { disposeWeights, mapWeights, type Weights } from "../../../lib/tensor/weights.ts";
import { metaGradient } from "../../../lib/unlearn/meta_unlearn/meta_gradient.ts";
import type { AuxiliaryBatch } from "../../../lib/unlearn/meta_unlearn/meta_objective.ts";
import { disposeSupport, supportOf } from "../../../lib/unlearn/meta_unlearn/support.ts";
import { centralDifference } from "../../tensor/directions.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";
import { TOY_HIDDEN, toyObjective } from "../toy_objective.ts";

const REQUEST = { support: [0, 1, 2], rows: [4, 0, 2] };
const BATCHES: AuxiliaryBatch[] = [
  { forget: [3, 4, 5, 6, 7], val: [12, 13, 14], keep: [15, 16, 17, 18, 19] },
  { forget: [8, 9], val: [10, 11], keep: [20, 21, 22] },
];

async function normOf(weights: Weights): Promise<number> {
  // Not tf.addN: on WebGPU it gives wrong numbers for eleven inputs (tfjs 4.22).
  const squares = tf.tidy(() =>
    tf.sqrt(Object.values(weights).map((w) => tf.sum(tf.square(w))).reduce((a, b) => tf.add(a, b)))
  );
  const value = (await squares.data())[0];
  squares.dispose();
  return value;
}

for (const [share, align] of [[0, "mean"], [0.5, "mean"], [0.5, "labels"]] as const) {
  onEachDevice(
    `metaGradient is what central differences of A give, with dropout ${share}, learned step sizes, ` +
      `aligning ${align}`,
    async () => {
      const toy = await toyObjective(24);
      const { theta, phi } = toy;
      const objective = { ...toy.objective, form: { ...toy.objective.form, align } };
      const support = await supportOf(objective, REQUEST, {
        share,
        hidden: TOY_HIDDEN,
        random: new Random(3, "dropout"),
      });
      const random = new Random(4, "step sizes");
      const logSizes = mapWeights(theta, () => tf.scalar(0.5 * random.normal()));
      const evaluate = async (p: Weights, s: Weights) => {
        const g = await metaGradient(theta, p, support, BATCHES, objective, s);
        return g;
      };
      const valueAt = async (p: Weights, s: Weights) => {
        const g = await evaluate(p, s);
        disposeWeights(g.phi);
        disposeWeights(g.logStepSizes);
        return g.value;
      };
      const gradient = await evaluate(phi, logSizes);
      for (
        const [name, at, exact] of [
          ["phi", phi, gradient.phi],
          ["log s", logSizes, gradient.logStepSizes!],
        ] as const
      ) {
        const norm = await normOf(exact);
        assert(norm > 1e-6, `${name}: the gradient is too small to test: ${norm}`);
        const unit = mapWeights(exact, (w) => tf.div(w, norm));
        const numeric = await centralDifference(
          (w) => name === "phi" ? valueAt(w, logSizes) : valueAt(phi, w),
          at,
          unit,
          0.01,
        );
        assertLess(Math.abs(numeric - norm), 0.02 * norm, `${name}: ${numeric} against ${norm}`);
        disposeWeights(unit);
      }
      disposeWeights(gradient.phi);
      disposeWeights(gradient.logStepSizes);
      disposeWeights(logSizes);
      disposeSupport(support);
      disposeWeights(theta);
      disposeWeights(phi);
    },
  );
}

onEachDevice("metaGradient needs no more memory for eight times the forget set", async () => {
  const { theta, phi, objective } = await toyObjective(140);
  const support = await supportOf(objective, REQUEST);
  const step = async (count: number) => {
    const forget = Array.from({ length: count }, (_, i) => 4 + i);
    const batch = { forget, val: [0, 1, 2, 3], keep: forget };
    const g = await metaGradient(theta, phi, support, [batch], objective);
    disposeWeights(g.phi);
  };
  const small = await peakBytes(() => step(16));
  const large = await peakBytes(() => step(128));
  assert(small > 10_000, `nothing was sampled: ${small} bytes`);
  assertLess(large / small, 1.05);
  disposeSupport(support);
  disposeWeights(theta);
  disposeWeights(phi);
});

onEachDevice("metaGradient leaves no tensor behind over ten steps", async () => {
  const { theta, phi, objective } = await toyObjective(24);
  const support = await supportOf(objective, REQUEST);
  const before = tf.memory().numTensors;
  for (let i = 0; i < 10; i++) {
    const g = await metaGradient(theta, phi, support, BATCHES, objective);
    disposeWeights(g.phi);
  }
  assertEquals(tf.memory().numTensors, before);
  disposeSupport(support);
  disposeWeights(theta);
  disposeWeights(phi);
});
