import { assert, assertAlmostEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { Random } from "../../../lib/random.ts";
import { disposeWeights, mapWeights, type Weights } from "../../../lib/tensor/weights.ts";
import { curvature } from "../../../lib/unlearn/memory/curvature.ts";
import { type Answers, divergenceGradient } from "../../../lib/unlearn/memory/divergence.ts";
import { DivergenceGradients } from "../../../lib/unlearn/memory/divergence_gradients.ts";
import type { MemoryContext } from "../../../lib/unlearn/memory/memory_context.ts";
import { forgetRows, memorise } from "../../../lib/unlearn/memory/memorise.ts";
import { RowsInMemory } from "../../../lib/unlearn/memory/row_store.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";
import { TOY_LABELS, TOY_SHAPE, toyObjective } from "../toy_objective.ts";

const PEOPLE = [0, 1, 2, 3].map((row) => ({ row, images: [2 * row, 2 * row + 1] }));
const VAL = [8, 9, 10, 11];
const RECIPE = {
  rounds: 1,
  groupSizes: [2],
  retainWeight: 2,
  valWeight: 1,
  retainImages: 4,
  lastStep: 1,
};

/** The toy with a preconditioner of `size` times one. */
async function toyContext() {
  const { theta, phi, objective: { source } } = await toyObjective(12);
  const answers = (phase: number): Answers => (indices) =>
    Float32Array.from(
      indices.flatMap((i) =>
        Array.from({ length: TOY_LABELS }, (_, l) => 0.5 + 0.4 * Math.sin(3 * i + l + phase))
      ),
    );
  const context: MemoryContext = {
    ...{ theta, shape: TOY_SHAPE, microBatch: 16, task: "multi-label", source },
    ...{ people: PEOPLE, val: VAL, reference: answers(0), original: answers(1) },
    moments: { left: {}, right: {}, diagonal: mapWeights(theta, (w) => tf.ones(w.shape)) },
  };
  const each = (value: number): Weights => mapWeights(theta, () => tf.scalar(value));
  const settings = (size: number) => ({
    logSize: each(Math.log(size)),
    logDamping: each(0),
    power: each(0),
  });
  return { context, settings, dispose: () => [theta, phi].forEach(disposeWeights) };
}

onEachDevice(
  "curvature grows as the preconditioner does, and steps within it go down",
  async () => {
    const { context, settings, dispose } = await toyContext();
    const { theta, source, reference, moments } = context;
    const backbone = { shape: TOY_SHAPE, microBatch: 16 };
    const gradients = new DivergenceGradients(backbone, "multi-label");
    const [one, three] = [settings(1), settings(3)];
    const group = PEOPLE.slice(0, 2);
    const random = () => new Random(0, "curvature");
    const found = await curvature(context, one, RECIPE, gradients, group, random());
    const larger = await curvature(context, three, RECIPE, gradients, group, random());
    assertAlmostEquals(larger / found, 3, 0.15);
    gradients.dispose();

    /** The divergence of a group after rounds of its own, nobody else held. */
    const after = async (stableShare: number | null, rounds: number): Promise<number> => {
      const recipe = { ...RECIPE, rounds, retainWeight: 0, valWeight: 0 };
      const length = Object.values(theta).reduce((sum, { size }) => sum + size, 0);
      const rows = new RowsInMemory(length);
      const steps = stableShare === null ? {} : { stableShare };
      await memorise(context, one, { ...recipe, ...steps }, random(), rows, { groups: [group] });
      const moved = forgetRows(
        theta,
        await Promise.all(group.map(({ row }) => rows.read(row))),
        moments,
        one,
      );
      const images = group.flatMap(({ images }) => images);
      const { value, gradients } = await divergenceGradient(
        moved,
        backbone,
        "multi-label",
        source,
        images,
        reference,
      );
      for (const weights of [moved, gradients]) disposeWeights(weights);
      return value;
    };
    const [few, many] = [await after(0.5, 1), await after(0.5, 12)];
    const { value, gradients: unused } = await divergenceGradient(
      theta,
      backbone,
      "multi-label",
      source,
      group.flatMap(({ images }) => images),
      reference,
    );
    disposeWeights(unused);
    assert(few < value && many < few, `${value} ${few} ${many}`);
    for (const weights of [one, three].flatMap(Object.values<Weights>)) disposeWeights(weights);
    disposeWeights(moments.diagonal);
    dispose();
  },
);
