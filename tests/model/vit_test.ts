import { assert, assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { thetaShapes } from "../../lib/model/theta_shapes.ts";
import { presetConfig, PRESETS } from "../../lib/model/config.ts";
import { vit, type VitOutput } from "../../lib/model/vit.ts";
import { type Dual, dual, dualsOf, plain } from "../../lib/tensor/algebra.ts";
import { Random } from "../../lib/random.ts";
import { disposeWeights, valueAndGradients, type Weights } from "../../lib/tensor/weights.ts";
import { centralDifference, inner, unitDirection } from "../tensor/directions.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";
import { TOY_SHAPE, toyObjective } from "../unlearn/toy_objective.ts";

/** As `timm.create_model(...).state_dict()` lists a ViT of one block. */
const TIMM_DEPTH_1 = [
  ["cls_token", "1,1,D"],
  ["pos_embed", "1,N,D"],
  ["patch_embed.proj.weight", "D,3,P,P"],
  ["patch_embed.proj.bias", "D"],
  ["blocks.0.norm1.weight", "D"],
  ["blocks.0.norm1.bias", "D"],
  ["blocks.0.attn.qkv.weight", "3D,D"],
  ["blocks.0.attn.qkv.bias", "3D"],
  ["blocks.0.attn.proj.weight", "D,D"],
  ["blocks.0.attn.proj.bias", "D"],
  ["blocks.0.norm2.weight", "D"],
  ["blocks.0.norm2.bias", "D"],
  ["blocks.0.mlp.fc1.weight", "4D,D"],
  ["blocks.0.mlp.fc1.bias", "4D"],
  ["blocks.0.mlp.fc2.weight", "D,4D"],
  ["blocks.0.mlp.fc2.bias", "D"],
  ["norm.weight", "D"],
  ["norm.bias", "D"],
  ["head.weight", "L,D"],
  ["head.bias", "L"],
] as const;

const labels = (count: number) => Array.from({ length: count }, (_, i) => `label ${i}`);

Deno.test("thetaShapes gives timm's names, order and shapes at every preset's width", () => {
  for (const preset of Object.values(PRESETS)) {
    const config = presetConfig({ ...preset, depth: 1 }, "multi-label", labels(5));
    const { dim: D, patchSize: P, imageSize } = config;
    const N = (imageSize / P) ** 2 + 1;
    const sizes: Record<string, number> = { D, P, N, L: 5, "3D": 3 * D, "4D": 4 * D };
    const expected = TIMM_DEPTH_1.map(([name, shape]): [string, number[]] => [
      name,
      shape.split(",").map((size) => sizes[size] ?? Number(size)),
    ]);
    assertEquals([...thetaShapes(config, config.labels.length)], expected);
  }
});

Deno.test("thetaShapes counts the parameters that timm gives for its ImageNet models", () => {
  const parameters = (preset: keyof typeof PRESETS) => {
    const shapes = thetaShapes(PRESETS[preset], 1000);
    assertEquals(shapes.size, 152);
    return [...shapes.values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
  };
  assertEquals(parameters("vit_tiny_patch16_224"), 5_717_416);
  assertEquals(parameters("vit_small_patch16_224"), 22_050_664);
  assertEquals(parameters("vit_base_patch16_224"), 86_567_656);
});

/** Coefficients of a scalar of the outputs: <a, logits> + <b, features>. */
async function toyScalar() {
  const { theta, phi, objective } = await toyObjective(5);
  disposeWeights(phi);
  const { patches, targets } = objective.source.batch([0, 1, 2, 3, 4]);
  targets.dispose();
  const random = new Random(6, "cotangents");
  const draw = (width: number) =>
    tf.tensor2d(Float32Array.from({ length: 5 * width }, () => random.normal()), [5, width]);
  const cotangents = { logits: draw(3), features: draw(TOY_SHAPE.dim) };
  const dispose = () => {
    disposeWeights(theta);
    disposeWeights(cotangents);
    patches.dispose();
  };
  return { theta, patches, cotangents, dispose };
}

/** Summed in float64, so that only the outputs' own rounding is left in the differences. */
async function scalarOf(output: VitOutput<tf.Tensor>, cotangents: Weights): Promise<number> {
  const value = await inner(cotangents, { ...output });
  tf.dispose([output.logits, output.features]);
  return value;
}

/**
 * The scalar sums some 50 outputs of size about 1, each right to some 1e-6: over a step of 2 * 0.01 the
 * differences are right to about 4e-4. The third derivative adds as much along the most curved tensor.
 */
const STEP = 0.01;
const TOLERANCE = 2e-3;

onEachDevice("vit has the gradient and the tangent that central differences give", async () => {
  const { theta, patches, cotangents, dispose } = await toyScalar();
  const { value, gradients } = valueAndGradients((weights) => {
    const { logits, features } = vit(plain, weights, patches, TOY_SHAPE);
    return tf.add(
      tf.sum(tf.mul(logits, cotangents.logits)),
      tf.sum(tf.mul(features, cotangents.features)),
    );
  }, theta);
  value.dispose();
  for (let draw = 0; draw < 3; draw++) {
    const direction = unitDirection(theta, new Random(draw, "direction"));
    const numeric = await centralDifference(
      (weights) =>
        scalarOf(tf.tidy(() => ({ ...vit(plain, weights, patches, TOY_SHAPE) })), cotangents),
      theta,
      direction,
      STEP,
    );
    const tangent = await scalarOf(
      tf.tidy(() => {
        const out = vit<Dual>(dual, dualsOf(theta, direction), patches, TOY_SHAPE);
        return { logits: out.logits.tangent!, features: out.features.tangent! };
      }),
      cotangents,
    );
    const backward = await inner(gradients, direction);
    const scale = Math.max(1, Math.abs(numeric));
    assertLess(Math.abs(tangent - numeric), TOLERANCE * scale, `${tangent} against ${numeric}`);
    // Two exact ways to one number: only rounding may part them.
    assertLess(Math.abs(backward - tangent), 1e-5 * scale, `${backward} against ${tangent}`);
    disposeWeights(direction);
  }
  disposeWeights(gradients);
  dispose();
});

onEachDevice("vit has a gradient for each of its parameters, one at a time", async () => {
  const { theta, patches, cotangents, dispose } = await toyScalar();
  for (const name of Object.keys(theta)) {
    const own = unitDirection({ [name]: theta[name] }, new Random(1, name));
    const rest = (weights: Weights) => ({ ...theta, ...weights });
    const numeric = await centralDifference(
      (weights) =>
        scalarOf(tf.tidy(() => ({ ...vit(plain, rest(weights), patches, TOY_SHAPE) })), cotangents),
      { [name]: theta[name] },
      own,
      STEP,
    );
    const tangent = await scalarOf(
      tf.tidy(() => {
        const out = vit<Dual>(dual, dualsOf(theta, own), patches, TOY_SHAPE);
        const { logits, features } = out;
        return {
          logits: logits.tangent!,
          // The head comes after the features: they do not move with it.
          features: features.tangent ?? tf.zerosLike(features.primal),
        };
      }),
      cotangents,
    );
    assertLess(Math.abs(tangent - numeric), TOLERANCE * Math.max(1, Math.abs(numeric)), name);
    assert(Math.abs(tangent) > 1e-3, `${name} has no effect: ${tangent}`);
    disposeWeights(own);
  }
  dispose();
});

onEachDevice("vit gives an image the same outputs in any batch", async () => {
  const { theta, phi, objective } = await toyObjective(5);
  const read = async (indices: number[]) => {
    const { patches, targets } = objective.source.batch(indices);
    const output = tf.tidy(() => ({ ...vit(plain, theta, patches, TOY_SHAPE) }));
    assertEquals(output.logits.shape, [indices.length, 3]);
    assertEquals(output.features.shape, [indices.length, TOY_SHAPE.dim]);
    const host = [...await output.logits.data(), ...await output.features.data()];
    tf.dispose([patches, targets, output.logits, output.features]);
    return host;
  };
  const alone = await read([3]);
  const together = await read([1, 3]);
  const second = [...together.slice(3, 6), ...together.slice(6 + TOY_SHAPE.dim)];
  alone.forEach((x, i) => assertLess(Math.abs(x - second[i]), 1e-5));
  disposeWeights(theta);
  disposeWeights(phi);
});
