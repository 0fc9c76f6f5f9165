import { assert, assertLess } from "@std/assert";
import { initialMetaLoss } from "../../../lib/model/meta_loss/meta_loss.ts";
import { initialVit } from "../../../lib/model/initial_vit.ts";
import { bytesOfImages, bytesPerImage, thetaBytes } from "../../../lib/model/memory_plan.ts";
import { spares } from "../../../lib/model/sparing.ts";
import { Random } from "../../../lib/random.ts";
import { Recorded } from "../../../lib/tensor/recording/recorded.ts";
import type { Forms, Tensors } from "../../../lib/tensor/recording/recording.ts";
import { disposeWeights } from "../../../lib/tensor/weights.ts";
import { queueMetaGradient } from "../../../lib/unlearn/meta_unlearn/meta_gradient.ts";
import { requestOf } from "../../../lib/unlearn/meta_unlearn/meta_step_inputs.ts";
import { asOnCard } from "../../tensor/as_on_card.ts";

const LABELS = 5;
/** ViT-B/16 in all but its width. */
const SHAPE = { imageSize: 224, patchSize: 16, dim: 256, depth: 12, heads: 4, layerNormEps: 1e-6 };
const [SUPPORT, IMAGES] = [20, 32];

/** What a recorded meta step of 20 people, 32 forget and 32 validation images reads. */
function forms(): Forms {
  const form = (...shape: number[]) => ({ shape, dtype: "float32" as const });
  const patches = (images: number) =>
    form(images * (SHAPE.imageSize / SHAPE.patchSize) ** 2, 3 * SHAPE.patchSize ** 2);
  const images = (name: string) => ({
    [`${name} patches`]: patches(IMAGES),
    [`${name} targets`]: form(IMAGES, LABELS),
    [`${name} weights`]: form(IMAGES),
  });
  return {
    patches: patches(SUPPORT),
    targets: form(SUPPORT, LABELS),
    ...images("0 forget"),
    ...images("0 val"),
    "0 original": form(2 + LABELS),
    "0 share": form(),
  };
}

asOnCard(
  "queueMetaGradient of a deep ViT spares activations, and is planned within the estimate",
  async () => {
    const random = new Random(0, "memory");
    const theta = initialVit(SHAPE, LABELS, random.fork("theta"));
    const phi = initialMetaLoss({
      inputs: ["logits", "targets"],
      labels: LABELS,
      ...{ dim: SHAPE.dim, identities: 1, embeddingSize: 4, hidden: 32 },
    }, random.fork("phi"));
    const settings = {
      ...{ metaLearningRate: 0.1, inputs: ["logits", "targets"] as const, shape: SHAPE },
      ...{ microBatch: IMAGES, keepWeight: 0, task: "multi-label" as const },
      form: { distance: "smooth_l1", terms: "both", scaled: true, align: "mean" } as const,
    };
    // It is recorded, which plans its memory, and does not run.
    const step = new Recorded((inputs: Tensors) => {
      const { support, batches } = requestOf(inputs);
      const rows = Array.from({ length: SUPPORT }, () => 0);
      const { measured, phi: gradient } = queueMetaGradient(
        theta,
        phi,
        { ...support, rows },
        batches,
        settings,
      );
      return { ...gradient, measured };
    });
    step.prepare(forms());
    const { bytes } = step.size!;
    assert(spares(SHAPE, IMAGES));
    // theta itself is outside of the recording.
    const weights = 7 * thetaBytes(SHAPE, LABELS);
    assertLess(bytes, weights + bytesOfImages(SHAPE, "meta-learn", "webgpu", IMAGES));
    assertLess(bytes, 0.75 * IMAGES * bytesPerImage(SHAPE, "meta-learn", "webgpu"));
    step.dispose();
    for (const set of [theta, phi]) disposeWeights(set);
    await Promise.resolve();
  },
);
