import * as tf from "@tensorflow/tfjs";
import type { ImageSource } from "../../lib/data/loader/image_source.ts";
import { labelLosses, meanLoss } from "../../lib/measure/loss.ts";
import { predict } from "../../lib/model/predict.ts";
import { Random } from "../../lib/random.ts";
import type { Measured } from "../../lib/unlearn/meta_unlearn/eq5_eq6_auxiliary_objective.ts";
import type { MetaObjective } from "../../lib/unlearn/meta_unlearn/meta_objective.ts";
import type { Person } from "../../lib/unlearn/meta_unlearn/simulate_requests.ts";
import { TOY_LABELS, TOY_SHAPE, toyObjective } from "./toy_objective.ts";

/** People of the training part, four images each, and validation people, of two. */
export const PEOPLE: readonly Person[] = people(6, 4, 0);
export const VALIDATION: readonly Person[] = people(6, 2, 24);
const IMAGES = 36;

function people(count: number, each: number, from: number): Person[] {
  return Array.from({ length: count }, (_, row) => ({
    row,
    images: Array.from({ length: each }, (_, k) => from + row * each + k),
  }));
}

/**
 * The toy as a model that knows its training people by heart: their labels are what theta says of them,
 * those of validation people are random. The metric is the share of labels that are right: 1 and about
 * a half.
 */
export async function memorisedToy(seed = 0) {
  const { theta, phi, objective: toy } = await toyObjective(IMAGES, seed);
  const all = Array.from({ length: IMAGES }, (_, i) => i);
  const { logits } = await predict(theta, TOY_SHAPE, toy.source, all, IMAGES);
  const random = new Random(seed, "validation labels");
  const known = PEOPLE.flatMap(({ images }) => images).length * TOY_LABELS;
  const labels = logits.map((x, i) => i < known ? Number(x > 0) : random.integer(2));
  const rows = (values: Float32Array, indices: readonly number[]) =>
    Float32Array.from(
      indices.flatMap((i) => [...values.subarray(i * TOY_LABELS, (i + 1) * TOY_LABELS)]),
    );
  const source: ImageSource = {
    targets: (indices) => rows(labels, indices),
    batch(indices) {
      const { patches, targets } = toy.source.batch(indices);
      targets.dispose();
      return { patches, targets: tf.tensor2d(rows(labels, indices), [indices.length, TOY_LABELS]) };
    },
  };
  const measure = (said: Float32Array, indices: readonly number[]): Measured => {
    const y = rows(labels, indices);
    return {
      loss: meanLoss("multi-label", said, y, TOY_LABELS),
      labelLosses: labelLosses(said, y, TOY_LABELS),
      metric: said.filter((x, i) => Number(x > 0) === y[i]).length / said.length,
    };
  };
  const objective: MetaObjective<ImageSource> = {
    ...toy,
    source,
    measure,
    original: (indices) => measure(rows(logits, indices), indices),
  };
  return { theta, phi, objective };
}
