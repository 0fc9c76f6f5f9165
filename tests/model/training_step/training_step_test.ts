import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { batchesOf } from "../../../lib/data/loader/image_source.ts";
import { TRAINING_RECIPES } from "../../../lib/model/recipes.ts";
import { plainTrainingStep } from "../../../lib/model/training_step/plain_training_step.ts";
import { trainingStep } from "../../../lib/model/training_step/open_training_step.ts";
import type { TrainingStep } from "../../../lib/model/training_step/training_step.ts";
import { activeWebgpu } from "../../../lib/tensor/recording/owned_tensor.ts";
import { useRecording } from "../../../lib/tensor/recording/recorded.ts";
import { disposeWeights, mapWeights } from "../../../lib/tensor/weights.ts";
import { onHost } from "../../tensor/directions.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";
import { TOY_SHAPE, toyObjective } from "../../unlearn/toy_objective.ts";

const RECIPE = TRAINING_RECIPES.find(({ name }) => name === "portraits")!;

/** Images of every step: whole batches, one in two micro-batches, and an epoch's smaller last one. */
const BATCHES = [[0, 1, 2, 3], [4, 5, 6, 0, 1, 2], [3, 4, 5, 6], [0, 1], [2, 3, 4, 5]];

async function runSteps(make: typeof trainingStep, optimiser: "sgd" | "adamw") {
  const { theta, phi, objective } = await toyObjective(7);
  const recipe = { ...RECIPE, optimiser, weightDecay: 0.01 };
  const settings = { recipe, task: objective.task, shape: TOY_SHAPE, microBatch: 4 };
  const step: TrainingStep = make(settings, mapWeights(theta, tf.clone));
  const pieces = BATCHES.flatMap((batch) => [batch.slice(0, 4), batch.slice(4)])
    .filter(({ length }) => length > 0);
  const input = batchesOf(objective.source, pieces);
  const losses: number[] = [];
  for (const [i, batch] of BATCHES.entries()) {
    await step.take(input, batch.length, 0.01 * (i + 1), (loss) => losses[i] = loss);
  }
  await step.finish();
  const result = { losses, theta: await onHost(step.theta), moments: await onHost(step.moments()) };
  step.dispose();
  for (const weights of [theta, phi]) disposeWeights(weights);
  return result;
}

for (const optimiser of ["adamw", "sgd"] as const) {
  onEachDevice(
    `trainingStep with ${optimiser} gives the same bits recorded and unrecorded`,
    async () => {
      const recorded = await runSteps(trainingStep, optimiser);
      useRecording(false);
      try {
        assertEquals(await runSteps(trainingStep, optimiser), recorded);
      } finally {
        useRecording(true);
      }
    },
  );

  onEachDevice(
    `trainingStep with ${optimiser} takes the steps that the optimiser by tensors takes`,
    async () => {
      const [own, due] = [
        await runSteps(trainingStep, optimiser),
        await runSteps(plainTrainingStep, optimiser),
      ];
      for (const part of ["theta", "moments"] as const) {
        for (const [name, values] of Object.entries(due[part])) {
          values.forEach((x, i) => {
            // A bias of keys changes nothing: its gradient is rounding, which AdamW makes a step of.
            if (name.endsWith("qkv.bias") && Math.floor(3 * i / values.length) === 1) return;
            assert(Math.abs(x - own[part][name][i]) < 2e-5, `${name}[${i}]`);
          });
        }
      }
      due.losses.forEach((x, i) => assert(Math.abs(x - own.losses[i]) < 1e-5, `loss ${i}`));
    },
  );
}

onEachDevice("trainingStep replays every step but the first of its shape", async () => {
  const backend = activeWebgpu();
  if (!backend) return;
  const before = { dispatched: backend.dispatched, replayed: backend.replayed };
  await runSteps(trainingStep, "adamw");
  const replayed = backend.replayed - before.replayed;
  // What reaches the queue op by op is the batches' own preparation alone.
  assert(replayed > 200, `${replayed} programs replayed`);
  assert(backend.dispatched - before.dispatched < 0.1 * replayed);
});

onEachDevice(
  "trainingStep that was prepared makes no recording when the batch is there",
  async () => {
    const backend = activeWebgpu();
    if (!backend) return;
    const { theta, phi, objective } = await toyObjective(7);
    const settings = { recipe: RECIPE, task: objective.task, shape: TOY_SHAPE, microBatch: 4 };
    const taken = async (prepared: boolean) => {
      const step = trainingStep(settings, mapWeights(theta, tf.clone));
      if (prepared) step.prepare!(6);
      const [create, losses]: [typeof backend.device.createBindGroup, number[]] = [
        backend.device.createBindGroup,
        [],
      ];
      const input = batchesOf(objective.source, [[0, 1, 2, 3], [4, 5]]);
      let made = 0;
      backend.device.createBindGroup = function (...args) {
        made++;
        return create.apply(backend.device, args);
      };
      try {
        await step.take(input, 6, 0.01, (loss) => losses.push(loss));
      } finally {
        backend.device.createBindGroup = create;
      }
      await step.finish();
      const result = { losses, theta: await onHost(step.theta) };
      step.dispose();
      return { made, result };
    };
    const [plain, prepared] = [await taken(false), await taken(true)];
    assertEquals(prepared.result, plain.result);
    assert(plain.made > 50, `${plain.made}`);
    assertEquals(prepared.made, 0);
    for (const weights of [theta, phi]) disposeWeights(weights);
  },
);
