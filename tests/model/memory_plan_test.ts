import { assert, assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { peakBytes } from "../../lib/bench/peak_bytes.ts";
import { LetheError } from "../../lib/error.ts";
import { PRESETS } from "../../lib/model/config.ts";
import { initialVit } from "../../lib/model/initial_vit.ts";
import {
  bytesPerImage,
  microBatchWithin,
  type Pass,
  thetaBytes,
} from "../../lib/model/memory_plan.ts";
import { vit, type VitShape } from "../../lib/model/vit.ts";
import { plain } from "../../lib/tensor/algebra.ts";
import { type Device, openDevice } from "../../lib/tensor/device.ts";
import { Random } from "../../lib/random.ts";
import { disposeWeights, valueAndGradients, type Weights } from "../../lib/tensor/weights.ts";
import { supportTangent } from "../../lib/unlearn/meta_unlearn/meta_gradient.ts";
import { HAS_ADAPTER, needing } from "../machine.ts";
import { asOnCard } from "../tensor/as_on_card.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";

const LABELS = 5;
const shape = (imageSize: number, dim: number, depth: number, heads: number): VitShape => ({
  imageSize,
  patchSize: 8,
  dim,
  depth,
  heads,
  layerNormEps: 1e-6,
});
const SHAPES = [shape(32, 96, 2, 4), shape(64, 64, 3, 2), shape(64, 32, 1, 8), shape(96, 64, 2, 4)];

const passes: Record<
  "predict" | "train" | "tangent",
  (theta: Weights, of: VitShape, b: number) => Promise<void>
> = {
  async predict(theta, of, b) {
    const patches = patchesOf(of, b);
    const logits = tf.tidy(() => vit(plain, theta, patches, of).logits);
    await logits.data();
    tf.dispose([logits, patches]);
  },
  async train(theta, of, b) {
    const patches = patchesOf(of, b);
    const { value, gradients } = valueAndGradients(
      (weights) => tf.sum(tf.square(vit(plain, weights, patches, of).logits)),
      theta,
    );
    await value.data();
    tf.dispose([value, patches]);
    disposeWeights(gradients);
  },
  async tangent(theta, of, b) {
    const rows = Array.from({ length: b }, (_, i) => i);
    const support = { patches: patchesOf(of, b), targets: tf.zeros([b, LABELS]), rows };
    const { logits, features } = supportTangent(theta, theta, support, of, b);
    await logits.data();
    tf.dispose([logits, features, support.patches, support.targets]);
  },
};

function patchesOf({ imageSize, patchSize }: VitShape, b: number): tf.Tensor {
  return tf.ones([b * (imageSize / patchSize) ** 2, 3 * patchSize ** 2]);
}

async function assertBounded({ backend }: Pick<Device, "backend">): Promise<void> {
  for (const of of SHAPES) {
    const theta = initialVit(of, LABELS, new Random(0, "memory"));
    const [before, found] = [tf.memory().numBytes, {} as Record<string, number>];
    for (const [name, run] of Object.entries(passes)) {
      const [few, many] = [
        await peakBytes(() => run(theta, of, 2)),
        await peakBytes(() => run(theta, of, 6)),
      ];
      assertGreater(few, before);
      found[name] = (many - few) / 4;
    }
    disposeWeights(theta);
    const expected: [Pass, number][] = [
      ["predict", found.predict],
      ["train", found.train],
      ["meta-learn", Math.max(found.train, found.tangent)],
    ];
    for (const [pass, measured] of expected) {
      const bound = bytesPerImage(of, pass, backend);
      const what = `${pass} of ${JSON.stringify(of)}: ${measured} of ${bound}`;
      assertLess(measured, bound, what);
      assertLess(bound, 2 * measured, what);
    }
  }
}

onEachDevice("bytesPerImage bounds what an image takes at the peak, and not by far", assertBounded);
asOnCard(
  "bytesPerImage bounds what an image takes with the kernels for cards",
  () => assertBounded({ backend: "webgpu" }),
);

Deno.test({
  ...needing(
    "adapter",
    HAS_ADAPTER,
    "bytesPerImage bounds a pass in half precision, which takes less than float32",
  ),
  async fn() {
    const of = PRESETS.vit_base_patch16_224;
    await openDevice("webgpu");
    const float32 = bytesPerImage(of, "train", "webgpu");
    const device = await openDevice("webgpu", "half");
    try {
      await assertBounded(device);
      assertLess(bytesPerImage(of, "train", "webgpu"), 0.8 * float32);
    } finally {
      await openDevice("webgpu");
    }
  },
});

onEachDevice("microBatchWithin takes as many images as fit, and says when none does", async () => {
  const of = PRESETS.vit_base_patch16_224;
  const one = 7 * thetaBytes(of, 40) + bytesPerImage(of, "train", tf.getBackend() as "wasm");
  assertEquals(microBatchWithin(of, 40, "train", 32, one), 1);
  const roomy = microBatchWithin(of, 40, "train", 32, 2 * one);
  assert(roomy > 1 && roomy <= 32);
  assertEquals(microBatchWithin(PRESETS.vit_demo_patch8_32, 40, "train", 64), 64);
  assertThrows(
    () => microBatchWithin(of, 40, "train", 32, one - 1),
    LetheError,
    "raise --memory-limit",
  );
  await Promise.resolve();
});
