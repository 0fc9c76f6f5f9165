import * as tf from "@tensorflow/tfjs";
import type { Task } from "../../data/sample.ts";
import { meanLoss } from "../../measure/loss.ts";
import { metaLossRows } from "../../model/meta_loss/meta_loss.ts";
import type { MetaLossInput } from "../../model/meta_loss/meta_loss_inputs.ts";
import { type Dual, dual, dualsOf } from "../../tensor/algebra.ts";
import { adamW, ADAMW_DEFAULTS } from "../../tensor/optimisers/adamw.ts";
import { adamWOf } from "../../tensor/optimisers/in_place.ts";
import { Gathered } from "../../tensor/recording/gathered.ts";
import { activeWebgpu } from "../../tensor/recording/owned_tensor.ts";
import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import type { Random } from "../../random.ts";
import { cosine } from "../../tensor/schedule.ts";
import {
  disposeWeights,
  mapWeights,
  valueAndGradients,
  type Weights,
} from "../../tensor/weights.ts";

/** What the model says of training images, to fit the meta-loss on. */
export interface AscentSamples {
  readonly task: Task;
  readonly labels: number;
  readonly dim: number;
  /** [n, labels] */
  readonly logits: Float32Array;
  /** [n, dim] */
  readonly features: Float32Array;
  /** [n, labels]: 0 or 1 per label, or one-hot classes. */
  readonly targets: Float32Array;
  /** Embedding row of each image's person. */
  readonly rows: readonly number[];
}

/** Enough to point the right way; the meta-loss itself is learned afterwards. */
const STEPS = 200;
const BATCH = 64;
const LEARNING_RATE = 2e-3;
/**
 * h is fitted to this less the task loss: far enough from zero that the softplus at its end is a
 * straight line. Near zero it is flat, and a photograph with a larger loss would move nothing.
 */
const OFFSET = 6;
/** Of the values' error beside the tangents': slopes are what is wanted. */
const VALUE_WEIGHT = 0.05;
/** Deviation of the noise on logits: a request's photograph is met with less confidence. */
const LOGIT_NOISE = 1;

/**
 * Fits a fresh meta-loss so that the unlearning step begins as gradient ascent on the task loss of the
 * support image: h = const - L_task. Beyond the paper, whose phi starts at random and has to find
 * out by requests alone, each of them costly, that forgetting means being less sure of the labels.
 *
 * Derivatives are fitted besides values: on dual numbers, the tangent of h along a random direction of
 * logits and features is regressed on that of -L_task. The backbone is not run.
 *
 * @param phi a fresh meta-loss; stays the caller's
 * @returns the fitted one, owned by the caller
 */
export async function ascentStart(
  phi: Weights,
  inputs: readonly MetaLossInput[],
  samples: AscentSamples,
  random: Random,
  onStep?: (done: number, total: number) => void,
): Promise<Weights> {
  const backend = activeWebgpu();
  if (backend) {
    const optimiser = adamWOf(backend, phi, ADAMW_DEFAULTS);
    const fit = new Recorded(({ numbers, ...batch }: Tensors) => {
      const { value, gradients } = misfit(optimiser.weights, inputs, batch, []);
      optimiser.step(gradients, numbers);
      disposeWeights(gradients);
      return { value };
    });
    const done = new Gathered();
    const identities = phi["embed.weight"]?.shape[0];
    for (let step = 0; step < STEPS; step++) {
      const { rows, ...batch } = drawBatch(samples, random);
      const own = {
        ...batch,
        ...identities === undefined ? {} : { selection: selectionOf(rows, identities) },
        numbers: optimiser.begin(cosine(LEARNING_RATE, step, STEPS)),
      };
      const { value } = fit.run(own);
      tf.dispose(Object.values(own));
      await done.add([value], () => onStep?.(step + 1, STEPS));
    }
    await done.finish();
    const weights = mapWeights(optimiser.weights, tf.clone);
    fit.dispose();
    optimiser.dispose();
    return weights;
  }
  const optimiser = adamW(ADAMW_DEFAULTS);
  let weights = mapWeights(phi, tf.clone);
  for (let step = 0; step < STEPS; step++) {
    const { rows, ...batch } = drawBatch(samples, random);
    const { value, gradients } = misfit(weights, inputs, batch, rows);
    weights = optimiser.step(weights, gradients, cosine(LEARNING_RATE, step, STEPS));
    disposeWeights(gradients);
    // Reading now and then keeps the device's queue short.
    if (step % 10 === 9) await value.data();
    tf.dispose([value, ...Object.values(batch)]);
    onStep?.(step + 1, STEPS);
  }
  optimiser.dispose();
  return weights;
}

/** Rows of an embedding table as a tensor, [rows, identities]. */
function selectionOf(rows: readonly number[], identities: number): tf.Tensor {
  const ones = new Float32Array(rows.length * identities);
  rows.forEach((row, i) => ones[i * identities + row] = 1);
  return tf.tensor2d(ones, [rows.length, identities]);
}

/** How far h and its tangents are from what is wanted on a batch, and the gradient; the caller's. */
function misfit(
  phi: Weights,
  inputs: readonly MetaLossInput[],
  batch: Tensors,
  rows: readonly number[],
): { value: tf.Scalar; gradients: Weights } {
  return valueAndGradients((current) => {
    const output = {
      logits: { primal: batch.logits, tangent: batch.logitDirection },
      features: { primal: batch.features, tangent: batch.featureDirection },
    };
    const { targets, selection } = batch;
    const constants = { targets, rows, ...selection ? { selection } : {} };
    const h = metaLossRows<Dual>(dual, dualsOf(current, {}), output, constants, inputs);
    return tf.add(
      tf.mean(tf.square(tf.sub(h.tangent!, batch.wanted))),
      tf.mul(tf.mean(tf.square(tf.sub(h.primal, batch.values))), VALUE_WEIGHT),
    );
  }, phi);
}

/** Rows of real outputs with noisy logits, random directions, and the tangent of -L_task along them. */
function drawBatch({ task, labels, dim, ...samples }: AscentSamples, random: Random) {
  const logits = new Float32Array(BATCH * labels);
  const logitDirection = Float32Array.from(logits, () => random.normal());
  const features = new Float32Array(BATCH * dim);
  const featureDirection = Float32Array.from(features, () => random.normal() / Math.sqrt(dim));
  const targets = new Float32Array(BATCH * labels);
  const wanted = new Float32Array(BATCH);
  const values = new Float32Array(BATCH);
  const rows: number[] = [];
  for (let i = 0; i < BATCH; i++) {
    const from = random.integer(samples.rows.length);
    rows.push(samples.rows[from]);
    features.set(samples.features.subarray(from * dim, (from + 1) * dim), i * dim);
    targets.set(samples.targets.subarray(from * labels, (from + 1) * labels), i * labels);
    const own = logits.subarray(i * labels, (i + 1) * labels);
    for (let c = 0; c < labels; c++) {
      own[c] = samples.logits[from * labels + c] + LOGIT_NOISE * random.normal();
    }
    const predicted = task === "multi-label"
      ? own.map((x) => 1 / (1 + Math.exp(-x)))
      : softmax(own);
    for (let c = 0; c < labels; c++) {
      const slope = (predicted[c] - targets[i * labels + c]) /
        (task === "multi-label" ? labels : 1);
      wanted[i] -= slope * logitDirection[i * labels + c];
    }
    const truth = targets.subarray(i * labels, (i + 1) * labels);
    values[i] = OFFSET - meanLoss(task, own, truth, labels);
  }
  return {
    logits: tf.tensor2d(logits, [BATCH, labels]),
    logitDirection: tf.tensor2d(logitDirection, [BATCH, labels]),
    features: tf.tensor2d(features, [BATCH, dim]),
    featureDirection: tf.tensor2d(featureDirection, [BATCH, dim]),
    targets: tf.tensor2d(targets, [BATCH, labels]),
    wanted: tf.tensor2d(wanted, [BATCH, 1]),
    values: tf.tensor2d(values, [BATCH, 1]),
    rows,
  };
}

function softmax(logits: Float32Array): Float32Array {
  const largest = Math.max(...logits);
  const powers = logits.map((x) => Math.exp(x - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
}
