import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { taskMetric } from "../../../lib/measure/evaluation.ts";
import { labelLosses, meanLoss } from "../../../lib/measure/loss.ts";
import { Random } from "../../../lib/random.ts";
import { hasKernel } from "../../../lib/tensor/kernel.ts";
import { valueAndGradients } from "../../../lib/tensor/weights.ts";
import {
  auxiliaryObjective,
  labelObjective,
  type Measured,
} from "../../../lib/unlearn/meta_unlearn/eq5_eq6_auxiliary_objective.ts";
import { originalRow, term } from "../../../lib/unlearn/meta_unlearn/objective_on_device.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";

const [IMAGES, FILLED, LABELS] = [7, 8, 5];

/** Logits in few steps, so that some are equal; a label that nobody has. */
function draw(random: Random, task: "multi-label" | "classes") {
  const logits = Float32Array.from({ length: IMAGES * LABELS }, () => random.integer(7) / 2 - 1.5);
  const targets = new Float32Array(IMAGES * LABELS);
  for (let i = 0; i < IMAGES; i++) {
    if (task === "classes") targets[i * LABELS + random.integer(LABELS)] = 1;
    else for (let c = 0; c < LABELS - 1; c++) targets[i * LABELS + c] = random.integer(2);
  }
  const measured: Measured = {
    loss: meanLoss(task, logits, targets, LABELS),
    metric: taskMetric(task, logits, targets, LABELS),
    ...task === "multi-label" ? { labelLosses: labelLosses(logits, targets, LABELS) } : {},
  };
  return { logits, targets, measured };
}

/** On the device, filled up with images that do not count. */
function upload({ logits, targets }: { logits: Float32Array; targets: Float32Array }) {
  const filled = (rows: Float32Array) => {
    const all = new Float32Array(FILLED * LABELS).fill(1);
    all.set(rows);
    return tf.tensor2d(all, [FILLED, LABELS]);
  };
  const weights = Float32Array.from({ length: FILLED }, (_, i) => i < IMAGES ? 1 / IMAGES : 0);
  return { logits: filled(logits), targets: filled(targets), weights: tf.tensor1d(weights) };
}

for (
  const [task, align] of [["multi-label", "mean"], ["multi-label", "labels"], [
    "classes",
    "mean",
  ]] as const
) {
  onEachDevice(
    `term measures ${task} aligned by ${align} as the host does, in every form`,
    async () => {
      if (!hasKernel("LetheObjective")) return;
      const random = new Random(1, `term ${task}`);
      for (const distance of ["smooth_l1", "l2"] as const) {
        for (const terms of ["both", "first", "second"] as const) {
          for (const scaled of [true, false]) {
            const form = { distance, terms, scaled, align };
            const [own, val, original] = [
              draw(random, task),
              draw(random, task),
              draw(random, task),
            ];
            const due = align === "labels"
              ? labelObjective(form, own.measured, val.measured, original.measured)
              : auxiliaryObjective(form, own.measured, val.measured, original.measured);
            const slopes = "slopes" in due ? due.slopes : null;
            const [at, other] = [upload(own), upload(val)];
            const images = { ...at, patches: at.logits };
            const row = tf.tensor1d(
              originalRow(original.measured, task === "classes" ? 0 : LABELS),
            );
            const onVal = tf.engine().runKernel(
              "LetheMeasure",
              other,
              { classes: task === "classes" },
            ) as unknown as tf.Tensor;
            let kept: tf.Tensor | undefined;
            const loss = term(
              task,
              form,
              images,
              terms === "second" ? null : onVal,
              row,
              (measured) => kept = tf.keep(tf.clone(measured)),
            );
            const { value, gradients } = valueAndGradients((w) => loss(w.logits), {
              logits: at.logits,
            });
            const near = (a: number, b: number) =>
              assert(
                Math.abs(a - b) < 1e-5 * (1 + Math.abs(b)),
                `${JSON.stringify(form)}: ${a}, ${b}`,
              );
            near((await value.data())[0], due.value);
            const [, ownLoss, metric] = await kept!.data();
            near(ownLoss, own.measured.loss);
            near(metric, own.measured.metric);
            const gradient = await gradients.logits.data();
            for (let i = 0; i < IMAGES * LABELS; i++) {
              const [image, label] = [Math.floor(i / LABELS), i % LABELS];
              const x = own.logits.subarray(image * LABELS, (image + 1) * LABELS);
              const sum = x.reduce((total, each) => total + Math.exp(each), 0);
              const slope = slopes ? slopes[label] : (due as { slope: number }).slope /
                (task === "classes" ? 1 : LABELS);
              const predicted = task === "classes"
                ? Math.exp(x[label]) / sum
                : 1 / (1 + Math.exp(-x[label]));
              near(gradient[i], slope * (predicted - own.targets[i]) / IMAGES);
            }
            assertEquals(
              [...gradient.subarray(IMAGES * LABELS)].map(Math.abs),
              Array(LABELS).fill(0),
            );
            tf.dispose([
              Object.values(at),
              Object.values(other),
              row,
              onVal,
              kept!,
              value,
              gradients,
            ]);
          }
        }
      }
    },
  );
}
