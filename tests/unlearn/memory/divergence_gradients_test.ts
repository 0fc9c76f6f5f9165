import { assert, assertEquals } from "@std/assert";
import { disposeWeights } from "../../../lib/tensor/weights.ts";
import {
  type Answers,
  divergenceGradient,
  probabilities,
} from "../../../lib/unlearn/memory/divergence.ts";
import { DivergenceGradients } from "../../../lib/unlearn/memory/divergence_gradients.ts";
import { flatten } from "../../../lib/unlearn/memory/flat.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";
import { TOY_LABELS, TOY_SHAPE, toyObjective } from "../toy_objective.ts";

const IMAGES = 43;

for (const task of ["multi-label", "classes"] as const) {
  onEachDevice(
    `DivergenceGradients are divergenceGradient's for sets of any size, ${task}`,
    async () => {
      const { theta, phi, objective: { source } } = await toyObjective(IMAGES);
      const answers: Answers = (indices) =>
        probabilities(
          task,
          Float32Array.from(
            indices.flatMap((i) => [Math.sin(i), Math.cos(2 * i), Math.sin(3 * i)]),
          ),
          TOY_LABELS,
        );
      const backbone = { shape: TOY_SHAPE, microBatch: 64 };
      const gradients = new DivergenceGradients(backbone, task);
      // More sizes than recordings are kept, one of two passes; the same size with other images again.
      for (const [from, to] of [[0, 1], [1, 9], [9, 20], [3, 8], [0, IMAGES], [20, 43], [30, 31]]) {
        const images = Array.from({ length: to - from }, (_, i) => from + i);
        const found = await gradients.of(theta, theta, source, images, answers);
        const due = await divergenceGradient(theta, backbone, task, source, images, answers);
        const expected = await flatten(due.gradients);
        disposeWeights(due.gradients);
        const most = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
        assertEquals(found.length, expected.length);
        assert(most > 0 && found.every((x, i) => Math.abs(x - expected[i]) <= 1e-5 * most));
      }
      gradients.dispose();
      for (const weights of [theta, phi]) disposeWeights(weights);
    },
  );
}
