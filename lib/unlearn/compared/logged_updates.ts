import * as tf from "@tensorflow/tfjs";
import type { ImageBatch } from "../../data/loader/image_source.ts";
import type { TrainingRecipe } from "../../model/recipes.ts";
import { lossAndGradients } from "../../model/training_step/loss_and_gradients.ts";
import type { StepLog } from "../../model/training_step/step_log.ts";
import { decays, type StepSettings } from "../../model/training_step/training_step.ts";
import { ADAMW_DEFAULTS } from "../../tensor/optimisers/adamw.ts";
import { readTogether } from "../../tensor/read_together.ts";
import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import { disposeWeights, type Weights } from "../../tensor/weights.ts";
import { flattened } from "../memory/flat.ts";

/** What a training run has done for one person, as `flatten` lays theta's names out. */
export interface PersonUpdates {
  /** What theta holds of the person's images: the sum of the updates, as decay has left it. */
  readonly update: Float32Array;
  /** The person's share of the optimiser's running mean of gradients. */
  readonly moment: Float32Array;
}

/**
 * Updates logged per person while a model is trained, to be subtracted later (Graves et al., AAAI 2021,
 * "Amnesiac Machine Learning", who log those of whole batches). A batch's gradient is the sum of its
 * people's, the optimiser's running mean is linear in it and so is its step for the second moments that
 * were met, so that theta is a sum of parts, with nothing left over but rounding:
 *
 *     theta_t = b_t + sum_p u_p,t          b_0 = theta_0, u_p,0 = m_p,0 = 0
 *     AdamW: m_p = b1 m_p + (1 - b1) g_p,  u_p = (1 - lr wd) u_p - lr / (1 - b1^t) m_p / (sqrt(v^) + eps)
 *     SGD:   m_p = mu m_p + g_p + wd u_p,  u_p = u_p - lr m_p
 *
 * with b_t what decay leaves of the weights that training began with. What is logged of a person is
 * not what the model would lack without: later steps would have been taken elsewhere.
 */
export class LoggedUpdates implements StepLog {
  /** By person. */
  readonly people: readonly PersonUpdates[];
  readonly #owners: ArrayLike<number>;
  readonly #recipe: TrainingRecipe;
  readonly #ranges: readonly { name: string; from: number; to: number }[];
  readonly #gradient: Recorded<Tensors, { flat: tf.Tensor }>;
  readonly #found = new Map<number, Float32Array>();
  #theta: Weights = {};
  #images = 1;

  /**
   * @param theta names and shapes
   * @param owners the person of each training image, 0 to `people` - 1
   */
  constructor(settings: StepSettings, theta: Weights, owners: ArrayLike<number>, people: number) {
    this.#owners = owners;
    this.#recipe = settings.recipe;
    let size = 0;
    this.#ranges = Object.keys(theta).sort()
      .map((name) => ({ name, from: size, to: size += theta[name].size }));
    const total = size;
    this.people = Array.from({ length: people }, () => ({
      update: new Float32Array(total),
      moment: new Float32Array(total),
    }));
    this.#gradient = new Recorded(({ patches, targets }: Tensors) => {
      const { value, gradients } = lossAndGradients(settings, this.#theta, { patches, targets }, 1);
      const flat = flattened(gradients);
      value.dispose();
      disposeWeights(gradients);
      return { flat };
    });
  }

  /** Each person's share of the batch's gradient, at theta as the step finds it. */
  async before(theta: Weights, images: readonly number[], pieces: readonly ImageBatch[]) {
    this.#theta = theta;
    this.#images = images.length;
    const sums = new Map<number, tf.Tensor>();
    let at = 0;
    for (const { patches, targets } of pieces) {
      const [count, labels] = targets.shape as [number, number];
      const rows = patches.shape[0] / count;
      for (let i = 0; i < count; i++) {
        const person = this.#owners[images[at++]];
        const one = tf.tidy(() => ({
          patches: tf.slice(patches, [i * rows, 0], [rows, -1]),
          targets: tf.slice(targets, [i, 0], [1, labels]),
        }));
        const { flat } = this.#gradient.run(one);
        const sum = sums.get(person);
        sums.set(person, sum ? tf.add(sum, flat) : tf.clone(flat));
        tf.dispose([one.patches, one.targets, ...(sum ? [sum] : [])]);
      }
    }
    const values = await readTogether([...sums.values()]);
    [...sums.keys()].forEach((person, i) => this.#found.set(person, values[i]));
    tf.dispose([...sums.values()]);
  }

  /** Takes everybody's part of the step that was taken. */
  async after(learningRate: number, steps: number, moments: Weights) {
    const { optimiser, weightDecay, momentum } = this.#recipe;
    const share = 1 / this.#images;
    const take = optimiser === "sgd"
      ? this.#sgd(learningRate, momentum, weightDecay, share)
      : this.#adamW(
        learningRate,
        weightDecay,
        share,
        steps,
        await readTogether(this.#ranges.map(({ name }) => moments[`v.${name}`])),
      );
    this.people.forEach((person, p) => take(person, this.#found.get(p)));
    this.#found.clear();
  }

  /** Frees the device's memory; the people's updates stay. */
  dispose(): void {
    this.#gradient.dispose();
  }

  #adamW(
    learningRate: number,
    weightDecay: number,
    share: number,
    steps: number,
    seconds: readonly Float32Array[],
  ) {
    const { beta1, beta2, epsilon } = ADAMW_DEFAULTS;
    const first = learningRate / (1 - beta1 ** steps);
    const second = Math.sqrt(1 - beta2 ** steps);
    // The same for all people: the factor by which the step multiplies a running mean.
    const factors = seconds.map((v) => v.map((x) => first / (Math.sqrt(x) / second + epsilon)));
    return ({ update, moment }: PersonUpdates, gradient: Float32Array | undefined) => {
      this.#ranges.forEach(({ name, from, to }, k) => {
        const kept = decays(name) ? 1 - learningRate * weightDecay : 1;
        const own = factors[k];
        for (let i = from; i < to; i++) {
          moment[i] = beta1 * moment[i] + (gradient ? (1 - beta1) * share * gradient[i] : 0);
          update[i] = kept * update[i] - own[i - from] * moment[i];
        }
      });
    };
  }

  #sgd(learningRate: number, momentum: number, weightDecay: number, share: number) {
    return ({ update, moment }: PersonUpdates, gradient: Float32Array | undefined) => {
      for (let i = 0; i < update.length; i++) {
        moment[i] = momentum * moment[i] + weightDecay * update[i] +
          (gradient ? share * gradient[i] : 0);
        update[i] -= learningRate * moment[i];
      }
    };
  }
}
