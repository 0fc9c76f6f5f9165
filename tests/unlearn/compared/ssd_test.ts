import { assertAlmostEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { taskLoss } from "../../../lib/model/task_loss.ts";
import { disposeWeights } from "../../../lib/tensor/weights.ts";
import { logitGradient } from "../../../lib/unlearn/logit_gradient.ts";
import { dampen, importances } from "../../../lib/unlearn/compared/ssd.ts";
import { onHost } from "../../tensor/directions.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";
import { toyObjective } from "../toy_objective.ts";

/** Elements one by one: weight, importance for training and for the request, weight afterwards. */
const CASES = [
  [4, 1, 1, 4, "not chosen: the ratio is below alpha"],
  [4, 1, 2, 4, "not chosen: the ratio is alpha and no more"],
  [4, 1, 4, 4 * 0.25 * 3, "chosen: scaled by lambda over the ratio"],
  [-4, 1, 2.5, -4, "chosen, and the factor is cut at 1"],
  [4, 0, 3, 0, "chosen: training does not need it at all"],
  [4, 0, 0, 4, "not chosen: nobody needs it"],
] as const;

onEachDevice("dampen scales what the request needs more than alpha times as much", async () => {
  const column = (k: 0 | 1 | 2) => ({ w: tf.tensor1d(CASES.map((row) => row[k])) });
  const [theta, training, request] = [column(0), column(1), column(2)];
  const after = dampen(theta, training, request, { selection: 2, dampening: 3 });
  const { w } = await onHost(after);
  CASES.forEach(([, , , due, why], i) => assertAlmostEquals(w[i], due, 1e-6, why));
  for (const weights of [theta, training, request, after]) disposeWeights(weights);
});

onEachDevice(
  "importances are means over batches of squared gradients, not of squares",
  async () => {
    const { theta, phi, objective } = await toyObjective(5);
    const { shape, source } = objective;
    const backbone = { shape, microBatch: 8 };
    const found = await importances(theta, backbone, "multi-label", source, [4, 0, 2, 1, 3], 2);
    const due: Record<string, Float32Array> = {};
    for (const batch of [[4, 0], [2, 1], [3]]) {
      const { patches, targets } = source.batch(batch);
      const { gradients } = await logitGradient(
        theta,
        backbone,
        patches,
        (logits) => taskLoss("multi-label", logits, targets),
      );
      for (const [name, values] of Object.entries(await onHost(gradients))) {
        due[name] ??= new Float32Array(values.length);
        values.forEach((value, i) => due[name][i] += value * value / 3);
      }
      tf.dispose([patches, targets]);
      disposeWeights(gradients);
    }
    for (const [name, values] of Object.entries(await onHost(found))) {
      values.forEach((value, i) => assertAlmostEquals(value, due[name][i], 1e-6));
    }
    for (const weights of [theta, phi, found]) disposeWeights(weights);
  },
);
