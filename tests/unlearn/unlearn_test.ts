import { assertEquals, assertNotEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { Random } from "../../lib/random.ts";
import { disposeWeights, mapWeights, type Weights } from "../../lib/tensor/weights.ts";
import { disposeSupport, supportOf } from "../../lib/unlearn/meta_unlearn/support.ts";
import { unlearn, withoutRows } from "../../lib/unlearn/unlearn.ts";
import {
  disposeStep,
  unlearningStep,
} from "../../lib/unlearn/meta_unlearn/algorithm1_unlearning_step.ts";
import { onHost } from "../tensor/directions.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";
import { toyObjective } from "./toy_objective.ts";

/** Embedding row of each of five people; support image i is person i's. */
const ROWS = [4, 0, 2, 5, 1];

/** The steps one by one, each at the weights that the one before it left. */
async function byHand(
  theta: Weights,
  phi: Weights,
  objective: Parameters<typeof unlearningStep>[3] & Parameters<typeof supportOf>[0],
  people: readonly number[][],
  logStepSizes?: Weights,
) {
  let current = mapWeights(theta, tf.clone);
  const steps = [];
  for (const support of people) {
    const request = await supportOf(objective, { support, rows: support.map((i) => ROWS[i]) });
    const step = await unlearningStep(current, phi, request, objective, logStepSizes);
    disposeWeights(current);
    current = mapWeights(step.theta, tf.clone);
    steps.push({ people: support.length, metaLoss: step.value });
    disposeStep(step);
    disposeSupport(request);
  }
  const host = await onHost(current);
  disposeWeights(current);
  return { theta: host, steps };
}

for (const [requestSize, people] of [[2, [[0, 1], [2, 3], [4]]], [9, [[0, 1, 2, 3, 4]]]] as const) {
  onEachDevice(
    `unlearn forgets ${ROWS.length} people at N_S = ${requestSize} in steps of ${
      people.map((chunk) => chunk.length).join(", ")
    }`,
    async () => {
      const { theta, phi, objective } = await toyObjective(5);
      const random = new Random(3, "step sizes");
      const logStepSizes = mapWeights(theta, () => tf.scalar(random.normal()));
      for (const sizes of [undefined, logStepSizes]) {
        const parameters = { phi, ...(sizes ? { logStepSizes: sizes } : {}) };
        const result = await unlearn(
          theta,
          parameters,
          objective,
          objective.source,
          ROWS,
          requestSize,
        );
        const chunks = people.map((chunk) => [...chunk]);
        const expected = await byHand(theta, phi, objective, chunks, sizes);
        assertEquals({ ...result, theta: await onHost(result.theta) }, expected);
        assertNotEquals(expected.theta["head.weight"], (await onHost(theta))["head.weight"]);
        disposeWeights(result.theta);
      }
      for (const weights of [theta, phi, logStepSizes]) disposeWeights(weights);
    },
  );
}

onEachDevice(
  "unlearn takes all people of one request in one step, not one after another",
  async () => {
    const { theta, phi, objective } = await toyObjective(5);
    const at = async (size: number) => {
      const { theta: after } = await unlearn(
        theta,
        { phi },
        objective,
        objective.source,
        ROWS,
        size,
      );
      const host = await onHost(after);
      disposeWeights(after);
      return host;
    };
    assertNotEquals(await at(5), await at(1));
    assertEquals(await at(5), await at(6));
    disposeWeights(theta);
    disposeWeights(phi);
  },
);

onEachDevice("withoutRows removes exactly the forgotten people's rows", async () => {
  const { theta, phi } = await toyObjective(1);
  disposeWeights(theta);
  const before = await onHost(phi);
  const [people, width] = phi["embed.weight"].shape;
  for (const forgotten of [[4, 0], [5], [], [0, 1, 2, 3, 4]]) {
    const next = withoutRows(phi, forgotten);
    const kept = [0, 1, 2, 3, 4, 5].filter((row) => !forgotten.includes(row));
    assertEquals(next["embed.weight"].shape, [people - forgotten.length, width]);
    const expected = {
      ...before,
      "embed.weight": Float32Array.from(
        kept.flatMap((row) => [...before["embed.weight"].subarray(row * width, (row + 1) * width)]),
      ),
    };
    assertEquals(await onHost(next), expected);
    disposeWeights(next);
  }
  assertEquals(await onHost(phi), before);
  disposeWeights(phi);
});

onEachDevice("withoutRows leaves an empty table when the last person is forgotten", async () => {
  const { theta, phi } = await toyObjective(1);
  disposeWeights(theta);
  const next = withoutRows(phi, [0, 1, 2, 3, 4, 5]);
  assertEquals(next["embed.weight"].shape, [0, 4]);
  assertEquals((await next["embed.weight"].data()).length, 0);
  disposeWeights(next);
  disposeWeights(phi);
});
