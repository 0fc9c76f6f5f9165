import * as tf from "@tensorflow/tfjs";
import { disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";
import { auxiliaryObjective } from "../../unlearn/meta_unlearn/eq5_eq6_auxiliary_objective.ts";
import type { Steps } from "../steps.ts";
import { stockMetaLoss } from "./meta_loss.ts";
import { stockLayout, stockLoss, stockVit } from "./vit.ts";
import type { Workload } from "../workload.ts";

/** Value and gradients by `tf.valueAndGrads`, by name; the caller disposes both. */
function stockGradients(
  f: (weights: Weights) => tf.Scalar,
  weights: Weights,
): { value: tf.Scalar; gradients: Weights } {
  const names = Object.keys(weights);
  const named = (tensors: tf.Tensor[]) =>
    Object.fromEntries(names.map((name, i) => [name, tensors[i]]));
  const { value, grads } = tf.valueAndGrads((...tensors: tf.Tensor[]) => f(named(tensors)))(
    Object.values(weights),
  );
  return { value: value as tf.Scalar, gradients: named(grads) };
}

/**
 * The same steps with stock tfjs ops only, all images of a step in one pass. Weights lie in tfjs's own
 * layout, turned once, so that no step pays for it; what the steps give lies in that layout too.
 *
 * The meta step cannot be the naive one: nested `tf.grad` gives wrong numbers (tensorflow/tfjs#3252).
 * It is the cheapest that is right with first-order gradients alone, a central difference along
 * v = dA/dtheta_u:
 *
 *     dA/dphi ~ -eta (d h_phi / dphi at theta + r v  -  d h_phi / dphi at theta - r v) / 2 r
 */
export function stockSteps(workload: Workload): Steps {
  const { objective, images } = workload;
  const { shape, source, form, measure, original, metaLearningRate: eta } = objective;
  const theta = stockLayout(workload.theta);
  const phi = stockLayout(workload.phi);
  const support = source.batch(images.support);
  // Written out: on WebGPU the floats of tf.oneHot are integers.
  const people = tf.tensor2d(
    images.support.map((_, row) => images.support.map((_, i) => +(i === row))),
  );
  const metaLoss = (phi: Weights, theta: Weights) =>
    stockMetaLoss(phi, stockVit(theta, support.patches, shape), support.targets, people);
  const phiGradient = (theta: Weights): Weights => {
    // theta does not move here, so its pass is left out of the tape.
    const output = tf.tidy(() => ({ ...stockVit(theta, support.patches, shape) }));
    const { value, gradients } = stockGradients(
      (weights) => stockMetaLoss(weights, output, support.targets, people),
      phi,
    );
    tf.dispose([value, output.logits, output.features]);
    return gradients;
  };
  const logitsOf = async (theta: Weights, indices: readonly number[]) => {
    const { patches, targets } = source.batch(indices);
    const logits = tf.tidy(() => stockVit(theta, patches, shape).logits);
    const rows = await logits.data() as Float32Array;
    tf.dispose([patches, targets, logits]);
    return rows;
  };
  const lossGradient = (theta: Weights, indices: readonly number[]) => {
    const { patches, targets } = source.batch(indices);
    let logits: tf.Tensor | undefined;
    const result = stockGradients((weights) => {
      logits = tf.keep(stockVit(weights, patches, shape).logits);
      return stockLoss(logits, targets);
    }, theta);
    tf.dispose([patches, targets]);
    return { ...result, logits: logits! };
  };
  const unlearned = () => {
    const { value, gradients } = stockGradients((weights) => metaLoss(phi, weights), theta);
    const moved = mapWeights(theta, (tensor, name) => tf.sub(tensor, tf.mul(gradients[name], eta)));
    value.dispose();
    disposeWeights(gradients);
    return moved;
  };

  return {
    trainingStep(indices) {
      const { logits, ...result } = lossGradient(theta, indices);
      logits.dispose();
      return result;
    },
    evaluation: (indices) => logitsOf(theta, indices),
    unlearningStep: () => Promise.resolve(unlearned()),
    async metaStep() {
      const moved = unlearned();
      const { value, gradients, logits } = lossGradient(moved, images.forget);
      const forget = measure(await logits.data() as Float32Array, images.forget);
      const val = measure(await logitsOf(moved, images.val), images.val);
      const { slope } = auxiliaryObjective(form, forget, val, original(images.val));
      const length = tf.tidy(() =>
        tf.sqrt(
          Object.values(gradients).map((g) => tf.sum(tf.square(g))).reduce((a, b) => a.add(b)),
        )
      );
      const reach = REACH / (await length.data())[0];
      const at = (scale: number) =>
        mapWeights(theta, (tensor, name) => tf.add(tensor, tf.mul(gradients[name], scale)));
      const [above, below] = [reach, -reach].map((scale) => {
        const shifted = at(scale);
        const gradient = phiGradient(shifted);
        disposeWeights(shifted);
        return gradient;
      });
      const result = mapWeights(
        above,
        (tensor, name) => tf.mul(tf.sub(tensor, below[name]), -eta * slope / (2 * reach)),
      );
      [moved, gradients, above, below].forEach(disposeWeights);
      tf.dispose([value, logits, length]);
      return result;
    },
    dispose() {
      disposeWeights(theta);
      disposeWeights(phi);
      tf.dispose([support.patches, support.targets, people]);
    },
  };
}

/** How far the central difference goes from theta, as a distance between weights. */
const REACH = 0.03;
