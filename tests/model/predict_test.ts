import { assertEquals } from "@std/assert";
import { predict } from "../../lib/model/predict.ts";
import { disposeWeights } from "../../lib/tensor/weights.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";
import { TOY_SHAPE, toyObjective } from "../unlearn/toy_objective.ts";

onEachDevice(
  "predict without features gives the same logits, and none of the features",
  async () => {
    const { theta, phi, objective: { source } } = await toyObjective(5);
    const both = await predict(theta, TOY_SHAPE, source, [4, 0, 2], 2);
    const logits = await predict(theta, TOY_SHAPE, source, [4, 0, 2], 2, undefined, "logits");
    assertEquals(logits.logits, both.logits);
    assertEquals([logits.features.length, both.features.length], [0, 3 * TOY_SHAPE.dim]);
    disposeWeights(theta);
    disposeWeights(phi);
  },
);
