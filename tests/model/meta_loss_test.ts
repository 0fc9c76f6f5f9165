import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import {
  initialMetaLoss,
  metaLoss,
  type MetaLossConstants,
  metaLossRows,
} from "../../lib/model/meta_loss/meta_loss.ts";
import {
  metaLossInputSize,
  type MetaLossShape,
  metaLossShapes,
} from "../../lib/model/meta_loss/meta_loss_shapes.ts";
import {
  META_LOSS_INPUTS,
  type MetaLossInput,
} from "../../lib/model/meta_loss/meta_loss_inputs.ts";
import { type Dual, dual, dualsOf, plain } from "../../lib/tensor/algebra.ts";
import { Random } from "../../lib/random.ts";
import { disposeWeights, valueAndGradients, type Weights } from "../../lib/tensor/weights.ts";
import { centralDifference, inner, unitDirection } from "../tensor/directions.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";

const SHAPE: MetaLossShape = {
  inputs: META_LOSS_INPUTS,
  labels: 3,
  dim: 6,
  identities: 5,
  embeddingSize: 4,
  hidden: 9,
};
const IMAGES = 4;

/** Table 6's rows and the two that leave one input alone. */
const INPUT_CHOICES: readonly (readonly MetaLossInput[])[] = [
  META_LOSS_INPUTS,
  ["features", "targets", "identities"],
  ["logits", "targets", "identities"],
  ["logits", "features", "identities"],
  ["logits", "features", "targets"],
  ["logits"],
  ["features"],
];

const draw = (shape: number[], random: Random, number = () => random.normal()) =>
  tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, number), shape);

/** A meta-loss, f_theta(S) in its stead, targets and a dropout mask; the caller disposes all. */
function toyMetaLoss(inputs: readonly MetaLossInput[], dropout: boolean) {
  const random = new Random(8, "meta-loss");
  const phi = initialMetaLoss({ ...SHAPE, inputs }, random.fork("phi"));
  const output = {
    logits: draw([IMAGES, SHAPE.labels], random),
    features: draw([IMAGES, SHAPE.dim], random),
  };
  const targets = draw([IMAGES, SHAPE.labels], random, () => random.integer(2));
  const mask = draw([IMAGES, SHAPE.hidden], random, () => 2 * random.integer(2));
  // Two images of one person: its row must gather both gradients.
  const constants: MetaLossConstants = {
    targets,
    rows: [4, 0, 4, 1],
    ...(dropout ? { dropout: mask } : {}),
  };
  const dispose = () => {
    disposeWeights(phi);
    disposeWeights(output);
    tf.dispose([targets, mask]);
  };
  return { phi, output, constants, dispose };
}

async function numberOf(scalar: tf.Tensor): Promise<number> {
  const value = (await scalar.data())[0];
  scalar.dispose();
  return value;
}

/**
 * The meta-loss is near 1 and right to some 2e-7: over a step of 2 * 0.01 the differences are right to
 * 2e-5. The third derivative adds up to 5e-5, with dropout.
 */
const STEP = 0.01;
const TOLERANCE = 2e-4;

for (const inputs of INPUT_CHOICES) {
  const dropout = inputs.length === 4;
  const title = `[${inputs}]${dropout ? " with dropout" : ""}`;
  onEachDevice(
    `metaLoss of ${title} has the gradient and the tangent that central differences give`,
    async () => {
      const { phi, output, constants, dispose } = toyMetaLoss(inputs, dropout);
      // phi and f_theta(S) move together: one direction through all of them.
      const all: Weights = {
        ...phi,
        ...(inputs.includes("logits") ? { logits: output.logits } : {}),
        ...(inputs.includes("features") ? { features: output.features } : {}),
      };
      const h = (weights: Weights) =>
        metaLoss(plain, weights, { ...output, ...weights }, constants, inputs);
      const { value, gradients } = valueAndGradients(h, all);
      value.dispose();
      for (let draw = 0; draw < 3; draw++) {
        const direction = unitDirection(all, new Random(draw, title));
        const numeric = await centralDifference(
          (weights) => numberOf(tf.tidy(() => h(weights))),
          all,
          direction,
          STEP,
        );
        const tangent = await numberOf(tf.tidy(() => {
          const duals = dualsOf({ ...phi, ...output }, direction);
          const moving = { logits: duals.logits, features: duals.features };
          return metaLoss<Dual>(dual, duals, moving, constants, inputs).tangent!;
        }));
        const backward = await inner(gradients, direction);
        assertLess(Math.abs(tangent - numeric), TOLERANCE, `${tangent} against ${numeric}`);
        // Two exact ways to one number: only rounding may part them.
        assertLess(Math.abs(backward - tangent), 2e-6, `${backward} against ${tangent}`);
        disposeWeights(direction);
      }
      disposeWeights(gradients);
      dispose();
    },
  );
}

onEachDevice("metaLoss is the mean of its rows, each a softplus", async () => {
  const { phi, output, constants, dispose } = toyMetaLoss(META_LOSS_INPUTS, false);
  const rows = tf.tidy(() => metaLossRows(plain, phi, output, constants, META_LOSS_INPUTS));
  assertEquals(rows.shape, [IMAGES, 1]);
  const values = [...await rows.data()];
  rows.dispose();
  assert(values.every((value) => value > 0), `${values}`);
  const mean = await numberOf(
    tf.tidy(() => metaLoss(plain, phi, output, constants, META_LOSS_INPUTS)),
  );
  assertAlmostEquals(mean, values.reduce((a, b) => a + b) / IMAGES, 1e-6);
  dispose();
});

onEachDevice("metaLoss does not move with an input that is switched off", async () => {
  for (const off of META_LOSS_INPUTS) {
    const inputs = META_LOSS_INPUTS.filter((input) => input !== off);
    for (const input of META_LOSS_INPUTS) {
      const { phi, output, constants, dispose } = toyMetaLoss(inputs, false);
      const value = await numberOf(tf.tidy(() => metaLoss(plain, phi, output, constants, inputs)));
      const other = await numberOf(tf.tidy(() =>
        metaLoss(
          plain,
          phi,
          {
            logits: input === "logits" ? tf.add(output.logits, 1) : output.logits,
            features: input === "features" ? tf.mul(output.features, 2) : output.features,
          },
          {
            targets: input === "targets" ? tf.sub(1, constants.targets) : constants.targets,
            rows: input === "identities" ? [1, 2, 3, 0] : constants.rows,
          },
          inputs,
        )
      ));
      assertEquals(value === other, input === off, `without ${off}, changing ${input}`);
      dispose();
    }
  }
});

Deno.test("metaLossInputSize loses exactly the width of the input that is switched off", () => {
  const widths = { logits: 3, features: 6, targets: 3, identities: 4 };
  assertEquals(metaLossInputSize(SHAPE), 16);
  for (const off of META_LOSS_INPUTS) {
    const inputs = META_LOSS_INPUTS.filter((input) => input !== off);
    assertEquals(metaLossInputSize({ ...SHAPE, inputs }), 16 - widths[off], off);
  }
});

Deno.test("metaLossShapes has the released code's names; a switch changes the first layer alone", () => {
  const whole = metaLossShapes(SHAPE);
  assertEquals([...whole], [
    ["embed.weight", [5, 4]],
    ["input_block.0.weight", [9, 16]],
    ["input_block.0.bias", [9]],
    ["input_block.1.weight", [9]],
    ["input_block.1.bias", [9]],
    ["input_block.2.weight", [9, 9]],
    ["input_block.2.bias", [9]],
    ["output_block.0.weight", [9]],
    ["output_block.0.bias", [9]],
    ["output_block.1.weight", [1, 9]],
    ["output_block.1.bias", [1]],
  ]);
  for (const off of META_LOSS_INPUTS) {
    const inputs = META_LOSS_INPUTS.filter((input) => input !== off);
    const expected = new Map(whole);
    expected.set("input_block.0.weight", [9, metaLossInputSize({ ...SHAPE, inputs })]);
    // Without identities there is no table to embed them with.
    if (off === "identities") expected.delete("embed.weight");
    assertEquals(metaLossShapes({ ...SHAPE, inputs }), expected, off);
  }
});

onEachDevice("initialMetaLoss has these shapes and PyTorch's spreads", async () => {
  const shape = { ...SHAPE, hidden: 64, identities: 40 };
  const phi = initialMetaLoss(shape, new Random(1, "phi"));
  const made = new Map(Object.entries(phi).map(([name, tensor]) => [name, tensor.shape]));
  assertEquals(made, metaLossShapes(shape));
  const spread = async (name: string) => {
    const values = await phi[name].data() as Float32Array;
    return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
  };
  // A uniform number in +-b has the deviation b / sqrt 3; 64 values and more fix it to some 10 %.
  const uniform = (fanIn: number) => 1 / Math.sqrt(3 * fanIn);
  for (
    const [name, expected] of [
      ["embed.weight", 1],
      ["input_block.0.weight", uniform(16)],
      ["input_block.0.bias", uniform(16)],
      ["input_block.2.weight", uniform(64)],
      ["output_block.1.weight", uniform(64)],
      ["input_block.1.weight", 1],
      ["output_block.0.weight", 1],
    ] as const
  ) assertAlmostEquals(await spread(name) / expected, 1, 0.2, name);
  assertEquals(await spread("input_block.1.bias"), 0);
  disposeWeights(phi);
});
