import * as tf from "@tensorflow/tfjs";
import { uploadWeights } from "../model/device_weights.ts";
import { predict } from "../model/predict.ts";
import type { Weight } from "../model/safetensors.ts";
import { Random } from "../random.ts";
import type { Weights } from "../tensor/weights.ts";
import { type Answers, probabilities } from "../unlearn/memory/divergence.ts";
import { sumOf, unflatten } from "../unlearn/memory/flat.ts";
import { gradientMoments } from "../unlearn/memory/gradient_moments.ts";
import { stepObjective } from "../unlearn/memory/learn_step.ts";
import { forgetRows, memorise } from "../unlearn/memory/memorise.ts";
import type { MemoryContext } from "../unlearn/memory/memory_context.ts";
import { preconditionAll, type StepSettings } from "../unlearn/memory/preconditioner.ts";
import { RowsInMemory } from "../unlearn/memory/row_store.ts";
import { compareGolden, type Computed, computedOf, type SelfcheckGroup } from "./compare_golden.ts";
import type { Golden } from "./golden.ts";
import { goldenParts } from "./golden_images.ts";

/** A tensor passes within this share of its largest expected magnitude. */
const TOLERANCE = 1e-3;
/** What tests/selfcheck/memory_reference.py computed with. */
const RECIPE = {
  rounds: 2,
  groupSizes: [2],
  retainWeight: 2,
  valWeight: 1,
  retainImages: 24,
  lastStep: 0.1,
} as const;
/** People by image of `forget`. */
const PEOPLE = [[0, 1, 2, 3], [4, 5, 6, 7, 8]] as const;

/**
 * Recomputes what a kit remembers of two people: the preconditioned step, rows of two rounds, theta_u and
 * the gradient of the learned settings.
 *
 * @param expected of `memory_expected.safetensors`
 * @param microBatch images per pass
 * @returns one group; all tensors it makes are freed
 */
export async function selfcheckMemory(
  golden: Golden,
  expected: ReadonlyMap<string, Weight>,
  microBatch = Infinity,
): Promise<SelfcheckGroup> {
  const engine = tf.engine();
  engine.startScope();
  try {
    const { source, indices: [train, val, forget] } = goldenParts(golden, "train", "val", "forget");
    const theta = uploadWeights(golden.model);
    const { shape, labels } = golden;
    const all = [...train, ...val, ...forget];
    const { logits } = await predict(theta, shape, source, all, microBatch);
    const answers = probabilities("multi-label", logits, labels);
    const drawn = source.targets(train).map((y, i) => answers[i] - y);
    const backbone = { shape, microBatch };
    const moments = await gradientMoments(theta, backbone, source, train, drawn);
    const original: Answers = (indices) =>
      Float32Array.from(
        indices.flatMap((i) => [...answers.subarray(i * labels, (i + 1) * labels)]),
      );
    const reference: Answers = (indices) => source.targets(indices).map((y) => 0.25 + 0.5 * y);
    const people = PEOPLE.map((places, row) => ({ row, images: places.map((i) => forget[i]) }));
    const context: MemoryContext = {
      ...{ theta, shape, microBatch, source, moments, reference, original },
      task: "multi-label",
      // The first two are asked for; the rest are others.
      people: [...people, { row: 2, images: train }],
      val: [...val],
    };
    const settings = settingsOf(theta);
    const rows = new RowsInMemory(sizeOf(theta));
    const computed: Computed = {};
    const random = new Random(0, "selfcheck");
    const group = { ...context, people };
    const once = new RowsInMemory(sizeOf(theta));
    const plain = { ...RECIPE, rounds: 1, retainWeight: 0, valWeight: 0 };
    await memorise(group, settings, plain, random, once);
    const step = preconditionAll(unflatten(once.read(0), theta), moments, settings);
    Object.assign(computed, await computedOf(step, "step."));

    await memorise(context, settings, RECIPE, random, rows, { groups: [people] });
    Object.assign(computed, await computedOf(unflatten(rows.read(0), theta), "row."));
    const asked = [rows.read(0), rows.read(1)];
    Object.assign(
      computed,
      await computedOf(forgetRows(theta, asked, moments, settings), "theta."),
    );
    const { value, gradient } = await stepObjective(
      context,
      unflatten(sumOf(asked), theta),
      settings,
      [
        { weight: 1, images: forget, answers: reference },
        { weight: RECIPE.retainWeight, images: train, answers: original },
        { weight: RECIPE.valWeight, images: val, answers: original },
      ],
    );
    computed.objective = [value];
    for (const [name, scalars] of Object.entries(gradient)) {
      Object.assign(computed, await computedOf(scalars, `${name}.`));
    }
    const compared = Object.fromEntries(
      Object.entries(computed).filter(([name]) => expected.has(name)),
    );
    return compareGolden("Memory", compared, expected, TOLERANCE);
  } finally {
    engine.endScope();
  }
}

function sizeOf(weights: Weights): number {
  return Object.values(weights).reduce((sum, { size }) => sum + size, 0);
}

/** Other values for each tensor, so that none is mistaken for another's. */
function settingsOf(theta: Weights): StepSettings {
  const names = Object.keys(theta).sort();
  const each = (f: (i: number) => number): Weights =>
    Object.fromEntries(names.map((name, i) => [name, tf.scalar(f(i % 10))]));
  return {
    logSize: each((i) => -3 + 0.05 * i),
    logDamping: each((i) => Math.log(0.1) + 0.02 * i),
    power: each((i) => 0.7 - 0.005 * i),
  };
}
