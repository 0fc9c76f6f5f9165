import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { Random } from "../../../lib/random.ts";
import { activeWebgpu } from "../../../lib/tensor/recording/owned_tensor.ts";
import { disposeWeights, mapWeights } from "../../../lib/tensor/weights.ts";
import {
  disposeStep,
  unlearningStep,
} from "../../../lib/unlearn/meta_unlearn/algorithm1_unlearning_step.ts";
import { disposeSupport, supportOf } from "../../../lib/unlearn/meta_unlearn/support.ts";
import { UnlearningSteps } from "../../../lib/unlearn/meta_unlearn/unlearning_steps.ts";
import { onHost } from "../../tensor/directions.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";
import { toyObjective } from "../toy_objective.ts";

/** Support images of each request, two of them of one size. */
const REQUESTS = [[0, 1], [3, 2], [4], [1, 4]];

for (const learned of [false, true]) {
  onEachDevice(
    `UnlearningSteps takes unlearningStep's steps, to the same bits, ${
      learned ? "with learned step sizes" : "with one step size"
    }`,
    async () => {
      const { theta, phi, objective } = await toyObjective(5);
      const random = new Random(3, "step sizes");
      const sizes = learned ? mapWeights(theta, () => tf.scalar(random.normal())) : undefined;
      const steps = new UnlearningSteps(phi, objective, sizes);
      const backend = activeWebgpu();
      for (const [i, images] of REQUESTS.entries()) {
        const support = await supportOf(objective, { support: images, rows: images });
        const due = await unlearningStep(theta, phi, support, objective, sizes);
        const before = { queued: backend?.dispatched ?? 0, replayed: backend?.replayed ?? 0 };
        const found = await steps.take(theta, support);
        if (backend) {
          assert(backend.replayed - before.replayed > 40);
          assertEquals(backend.dispatched, before.queued, `request ${i}`);
        }
        assertEquals(found.value, due.value);
        assertEquals(await onHost(found.theta), await onHost(due.theta));
        disposeSupport(support);
        disposeStep(due);
        disposeWeights(found.theta);
      }
      steps.dispose();
      for (const weights of [theta, phi, sizes]) disposeWeights(weights);
    },
  );
}
