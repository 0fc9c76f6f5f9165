import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { Random } from "../../../lib/random.ts";
import { disposeWeights, mapWeights, type Weights } from "../../../lib/tensor/weights.ts";
import { type Answers, divergenceGradient } from "../../../lib/unlearn/memory/divergence.ts";
import { flatten } from "../../../lib/unlearn/memory/flat.ts";
import { memorise } from "../../../lib/unlearn/memory/memorise.ts";
import { RowsInMemory } from "../../../lib/unlearn/memory/row_store.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";
import { TOY_LABELS, TOY_SHAPE, toyObjective } from "../toy_objective.ts";

onEachDevice(
  "memorise holds other training people to what the model said, moved by a share to their labels",
  async () => {
    const { theta, phi, objective: { source } } = await toyObjective(8);
    const people = [0, 1, 2].map((row) => ({ row, images: [2 * row, 2 * row + 1] }));
    const said: Answers = (indices) =>
      Float32Array.from(
        { length: indices.length * TOY_LABELS },
        (_, i) => 0.5 + 0.4 * Math.sin(3 * indices[Math.floor(i / TOY_LABELS)] + i % TOY_LABELS),
      );
    const backbone = { shape: TOY_SHAPE, microBatch: 16 };
    const moments = { left: {}, right: {}, diagonal: mapWeights(theta, (w) => tf.ones(w.shape)) };
    const none = () => mapWeights(theta, () => tf.scalar(0));
    const settings = { logSize: none(), logDamping: none(), power: none() };
    const before = tf.memory().numTensors;
    const rowOf = async (labelShare?: number) => {
      const rows = new RowsInMemory(Object.values(theta).reduce((sum, { size }) => sum + size, 0));
      await memorise(
        {
          theta,
          ...backbone,
          task: "multi-label",
          source,
          people,
          val: [],
          reference: said,
          original: said,
          moments,
        },
        settings,
        {
          ...{
            rounds: 1,
            groupSizes: [1],
            retainWeight: 3,
            valWeight: 0,
            retainImages: 4,
            lastStep: 1,
          },
          ...(labelShare === undefined ? {} : { labelShare }),
        },
        new Random(0, "memorise"),
        rows,
        { groups: [[people[0]]] },
      );
      return await rows.read(0);
    };
    const gradient = async (images: readonly number[], answers: Answers) => {
      const { gradients } = await divergenceGradient(
        theta,
        backbone,
        "multi-label",
        source,
        images,
        answers,
      );
      const flat = await flatten(gradients);
      disposeWeights(gradients);
      return flat;
    };
    const [own, others] = [people[0].images, [2, 3, 4, 5]];
    for (const share of [0, 0.3]) {
      const due: Answers = (indices) => {
        const labels = source.targets(indices);
        return said(indices).map((answer, i) => answer + share * (labels[i] - answer));
      };
      const [a, b] = [await gradient(own, said), await gradient(others, due)];
      const found = await rowOf(share);
      const most = a.reduce((most, x, i) => Math.max(most, Math.abs(x + 3 * b[i])), 0);
      assert(found.every((x, i) => Math.abs(x - a[i] - 3 * b[i]) <= 1e-5 * most));
    }
    assertEquals(await rowOf(), await rowOf(0));
    assert((await rowOf(0.3)).some((x, i, all) => i > 0 && x !== all[0]));
    assertEquals(tf.memory().numTensors, before);
    for (const weights of [theta, phi, moments.diagonal, ...Object.values<Weights>(settings)]) {
      disposeWeights(weights);
    }
  },
);
