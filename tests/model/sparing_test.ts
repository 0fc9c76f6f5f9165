import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { PRESETS } from "../../lib/model/config.ts";
import { bytesOfImages } from "../../lib/model/memory_plan.ts";
import { spares } from "../../lib/model/sparing.ts";
import { plain } from "../../lib/tensor/algebra.ts";
import { hasFusedProducts } from "../../lib/tensor/fused_product.ts";
import { attentionBlock } from "../../lib/tensor/ops/attention_block.ts";
import { mlpBlock } from "../../lib/tensor/ops/mlp_block.ts";
import { Recorded } from "../../lib/tensor/recording/recorded.ts";
import type { Tensors } from "../../lib/tensor/recording/recording.ts";
import { valueAndGradients } from "../../lib/tensor/weights.ts";
import { asOnCard } from "../tensor/as_on_card.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";

const [IMAGES, TOKENS, DIM, BLOCKS] = [8, 33, 32, 6];

/** Weights of a few blocks, of numbers that no two share. */
function weightsOf(): Record<string, tf.Tensor> {
  let next = 0;
  const made = (...shape: number[]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return tf.tensor(Float32Array.from({ length: size }, () => Math.sin(++next) / 4), shape);
  };
  const shapes: [string, number[]][] = [
    ...[["norm1", [DIM]], ["shift1", [DIM]], ["qkv", [3 * DIM, DIM]], ["qkvBias", [3 * DIM]]],
    ...[["proj", [DIM, DIM]], ["projBias", [DIM]], ["norm2", [DIM]], ["shift2", [DIM]]],
    ...[["fc1", [4 * DIM, DIM]], ["fc1Bias", [4 * DIM]], ["fc2", [DIM, 4 * DIM]]],
    ["fc2Bias", [DIM]],
  ] as [string, number[]][];
  const all: Record<string, tf.Tensor> = { x: made(IMAGES * TOKENS, DIM) };
  for (let block = 0; block < BLOCKS; block++) {
    for (const [name, shape] of shapes) all[`${block} ${name}`] = made(...shape);
  }
  return all;
}

/** Gradients of a loss of the blocks, recorded; `again` for all of them. */
function gradientStep(again: 0 | 1, heads: number) {
  return new Recorded((weights: Tensors) => {
    const { value, gradients } = valueAndGradients((w) => {
      const attributes = { epsilon: 1e-6, again };
      let x = w.x;
      for (let block = 0; block < BLOCKS; block++) {
        const of = (...names: string[]) => names.map((name) => w[`${block} ${name}`]);
        const attention = { ...attributes, heads, tokens: TOKENS, dim: DIM };
        x = plain.scope(() => {
          const first = of("norm1", "shift1", "qkv", "qkvBias", "proj", "projBias");
          const middle = plain.apply(attentionBlock, [x, ...first], attention);
          const second = of("norm2", "shift2", "fc1", "fc1Bias", "fc2", "fc2Bias");
          return plain.apply(mlpBlock, [middle, ...second], attributes);
        });
      }
      return tf.sum(tf.square(x));
    }, weights);
    return { value, ...gradients };
  });
}

async function assertTheSame(heads: number): Promise<void> {
  const weights = weightsOf();
  const [kept, spared] = [gradientStep(0, heads), gradientStep(1, heads)];
  const read = async (step: typeof kept) => {
    const outputs: Tensors = step.run(weights);
    return await Promise.all(
      Object.values(outputs).map(async (tensor) => [...await tensor.data()]),
    );
  };
  assertEquals(await read(spared), await read(kept));
  // Of 16 rows and the probabilities 5 rows are kept, and a block's own come on top.
  if (hasFusedProducts()) assertLess(spared.size!.bytes, 0.6 * kept.size!.bytes);
  for (const each of [kept, spared]) each.dispose();
  tf.dispose(Object.values(weights));
}

onEachDevice(
  "attentionBlock and mlpBlock give the same bits when the gradient computes again what it needs",
  () => assertTheSame(2),
);
asOnCard(
  "attentionBlock and mlpBlock give the same bits again, by the kernels for cards",
  () => assertTheSame(2),
);

onEachDevice("spares says which passes keep more than a gigabyte for a gradient", async () => {
  const [base, small] = [PRESETS.vit_base_patch16_224, PRESETS.vit_small_patch8_64];
  assertEquals([1, 9, 10, 32].map((images) => spares(base, images)), [
    false,
    false,
    hasFusedProducts(),
    hasFusedProducts(),
  ]);
  assert(!spares(small, 64));
  const backend = tf.getBackend() as "webgpu" | "wasm";
  const bytes = (pass: "train" | "meta-learn", images: number) =>
    bytesOfImages(base, pass, backend, images);
  if (hasFusedProducts()) {
    assertLess(bytes("meta-learn", 32), 16 * bytes("meta-learn", 1));
    // Nine keep all, and more than ten that keep little.
    assertEquals(bytes("meta-learn", 10), bytes("meta-learn", 9));
  }
  assertAlmostEquals(bytes("train", 32) / bytes("train", 1), 32);
  await Promise.resolve();
});
