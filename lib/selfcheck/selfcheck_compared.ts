import * as tf from "@tensorflow/tfjs";
import type { ImageSource } from "../data/loader/image_source.ts";
import { uploadWeights } from "../model/device_weights.ts";
import type { Weight } from "../model/safetensors.ts";
import { sgd } from "../tensor/optimisers/sgd.ts";
import { disposeWeights, mapWeights, type Weights } from "../tensor/weights.ts";
import { influenceStep, summedGradient } from "../unlearn/compared/influence.ts";
import { referenceStep } from "../unlearn/compared/reference_tuning.ts";
import { importances } from "../unlearn/compared/ssd.ts";
import { compareGolden, type Computed, computedOf, type SelfcheckGroup } from "./compare_golden.ts";
import { type Golden, goldenTensor } from "./golden.ts";
import { goldenSource } from "./golden_images.ts";

/** A tensor of a method passes within this share of its largest expected magnitude. */
const TOLERANCE = 1e-3;
/** What tests/selfcheck/compared_reference.py computed with. */
const INFLUENCE = { learningRate: 1e-5, damping: 0.1, batch: 8 } as const;
const REFERENCE_TUNING = { learningRate: 0.1, retainWeight: 2, retain: 8 } as const;

/** The golden model and images on the device. */
interface Setting {
  readonly theta: Weights;
  readonly backbone: { readonly shape: Golden["shape"]; readonly microBatch: number };
  readonly source: ImageSource;
  readonly train: readonly number[];
  readonly support: readonly number[];
  readonly forget: readonly number[];
}

/**
 * Recomputes the numbers of the methods that this project adds to compare with.
 *
 * @param expected of `compared_expected.safetensors`
 * @param microBatch images per pass
 * @returns a group per method; all tensors it makes are freed
 */
export async function selfcheckCompared(
  golden: Golden,
  expected: ReadonlyMap<string, Weight>,
  microBatch = Infinity,
): Promise<SelfcheckGroup[]> {
  const engine = tf.engine();
  engine.startScope();
  try {
    const part = (file: ReadonlyMap<string, Weight>, name: string) => ({
      images: goldenTensor(file, `${name}.images`),
      targets: goldenTensor(file, `${name}.targets`),
    });
    const { source, indices: [train, support, forget] } = goldenSource(golden, [
      part(golden.methods.batch, "train"),
      part(golden.batch, "support"),
      part(golden.batch, "forget"),
    ]);
    const backbone = { shape: golden.shape, microBatch };
    const theta = uploadWeights(golden.model);
    const setting: Setting = { theta, backbone, source, train, support, forget };
    const groups: SelfcheckGroup[] = [];
    for (
      const [name, check] of Object.entries({ Influence: influence, "Reference tuning": tuning })
    ) {
      const computed = Object.entries(await check(setting));
      // The reference keeps a part of the tensors.
      const kept = Object.fromEntries(computed.filter(([tensor]) => expected.has(tensor)));
      groups.push(compareGolden(name, kept, expected, TOLERANCE));
    }
    return groups;
  } finally {
    engine.endScope();
  }
}

async function influence(
  { theta, backbone, source, train, support }: Setting,
): Promise<Computed> {
  const { batch } = INFLUENCE;
  const fisher = await importances(theta, backbone, "multi-label", source, train, batch);
  const gradient = await summedGradient(theta, backbone, "multi-label", source, support);
  return await computedOf(influenceStep(theta, fisher, gradient, INFLUENCE), "influence.theta.");
}

async function tuning(
  { theta, backbone, source, train, forget }: Setting,
): Promise<Computed> {
  const optimiser = sgd({ momentum: 0, weightDecay: 0 });
  const { theta: after, value } = await referenceStep(
    mapWeights(theta, tf.clone),
    optimiser,
    {
      ...{ theta, source, ...backbone },
      task: "multi-label",
      reference: (indices) => source.targets(indices).map((y) => 0.25 + 0.5 * y),
    },
    forget,
    train.slice(0, REFERENCE_TUNING.retain),
    REFERENCE_TUNING,
  );
  const computed = {
    "reference_tuning.loss": [value],
    ...await computedOf(after, "reference_tuning.theta."),
  };
  // Optimisers keep what they make, whatever scope ends.
  optimiser.dispose();
  disposeWeights(after);
  return computed;
}
