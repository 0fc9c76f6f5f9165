import { assertAlmostEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { predict } from "../../../lib/model/predict.ts";
import { Random } from "../../../lib/random.ts";
import { addScaled, disposeWeights } from "../../../lib/tensor/weights.ts";
import { metaGradient } from "../../../lib/unlearn/meta_unlearn/meta_gradient.ts";
import { disposeSupport, supportOf } from "../../../lib/unlearn/meta_unlearn/support.ts";
import { scrubObjectiveGradient } from "../../../lib/unlearn/compared/scrub_objective.ts";
import { centralDifference, inner, unitDirection } from "../../tensor/directions.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";
import { TOY_LABELS, TOY_SHAPE, toyObjective } from "../toy_objective.ts";

const BATCHES = [
  { forget: [3, 4, 5, 6, 7], val: [12, 13, 14], keep: [] },
  { forget: [8, 9], val: [10, 11], keep: [] },
];

/** KL of softmaxes at temperature 4, times 16, mean over images: in float64, from logits. */
function softened(student: Float32Array, teacher: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < student.length; i += TOY_LABELS) {
    const logs = (rows: Float32Array) => {
      const x = [...rows.subarray(i, i + TOY_LABELS)].map((value) => value / 4);
      const total = Math.log(x.reduce((all, value) => all + Math.exp(value), 0));
      return x.map((value) => value - total);
    };
    const [ours, theirs] = [logs(student), logs(teacher)];
    theirs.forEach((log, k) => sum += Math.exp(log) * (log - ours[k]));
  }
  return 16 * sum / (student.length / TOY_LABELS);
}

onEachDevice(
  "scrubObjectiveGradient is SCRUB's loss and what central differences of it give",
  async () => {
    const { theta, phi, objective } = await toyObjective(16);
    const direction = unitDirection(theta, new Random(1, "away"));
    const moved = addScaled(theta, direction, 1.5);
    const { value, v } = await scrubObjectiveGradient(theta, moved, objective, BATCHES);

    const logits = async (weights: typeof theta, images: number[]) =>
      (await predict(weights, TOY_SHAPE, objective.source, images, 16)).logits;
    let due = 0;
    for (const { forget, val } of BATCHES) {
      const [away, held] = [
        softened(await logits(moved, forget), await logits(theta, forget)),
        softened(await logits(moved, val), await logits(theta, val)),
      ];
      const task = objective.measure(await logits(moved, val), val).loss;
      due += forget.length / 7 * (-away + 0.001 * held + 0.99 * task);
    }
    assertAlmostEquals(value, due, 1e-4);

    const unit = unitDirection(theta, new Random(2, "direction"));
    const numeric = await centralDifference(
      async (weights) => {
        const at = await scrubObjectiveGradient(theta, weights, objective, BATCHES);
        disposeWeights(at.v);
        return at.value;
      },
      moved,
      unit,
      0.02,
    );
    const exact = await inner(v, unit);
    assertLess(Math.abs(numeric - exact), 0.02 * Math.abs(exact) + 1e-4);
    for (const weights of [theta, phi, direction, moved, v, unit]) disposeWeights(weights);
  },
);

onEachDevice("metaGradient follows SCRUB's loss where the form asks for it", async () => {
  const toy = await toyObjective(16);
  const form = { ...toy.objective.form, terms: "scrub" } as const;
  const objective = { ...toy.objective, form, metaLearningRate: 0.1 };
  const support = await supportOf(objective, { support: [0, 1, 2], rows: [4, 0, 2] });
  const at = async (phi: typeof toy.phi) => {
    const { value, phi: gradient } = await metaGradient(
      toy.theta,
      phi,
      support,
      BATCHES,
      objective,
    );
    return { value, gradient };
  };
  const { gradient } = await at(toy.phi);
  const norm = Math.sqrt(await inner(gradient, gradient));
  const unit = tf.tidy(() => addScaled(gradient, gradient, 1 / norm - 1));
  const numeric = await centralDifference(
    async (phi) => {
      const { value, gradient } = await at(phi);
      disposeWeights(gradient);
      return value;
    },
    toy.phi,
    unit,
    0.005,
  );
  assertLess(Math.abs(numeric - norm), 0.02 * norm, `${numeric} against ${norm}`);
  disposeSupport(support);
  for (const weights of [toy.theta, toy.phi, gradient, unit]) disposeWeights(weights);
});
