import * as tf from "@tensorflow/tfjs";
import { uploadWeights } from "../model/device_weights.ts";
import { sgd } from "../tensor/optimisers/sgd.ts";
import { disposeWeights, mapWeights, type Weights } from "../tensor/weights.ts";
import { badTeacherStep } from "../unlearn/compared/bad_teacher.ts";
import { justInTime } from "../unlearn/compared/jit.ts";
import { inputCovariances } from "../unlearn/compared/input_covariances.ts";
import { projectedGradient } from "../unlearn/compared/pgu.ts";
import { forgetStep, retainStep, SCRUB } from "../unlearn/compared/scrub.ts";
import { dampen, importances } from "../unlearn/compared/ssd.ts";
import { compareGolden, type Computed, computedOf, type SelfcheckGroup } from "./compare_golden.ts";
import { type Golden, goldenTensor } from "./golden.ts";
import { goldenPatches } from "./golden_images.ts";
import { type GoldenSetting, onGoldenSetting } from "./golden_setting.ts";

/** A tensor of a method passes within this share of its largest expected magnitude. */
const TOLERANCE = 1e-3;
/** SSD: an importance ratio as near to alpha as this may fall to either side by rounding. */
const SELECTION_EDGE = 1e-3;
/** PGU: where a cumulative share is as near to gamma as this, the rank may differ by one. */
const RANK_EDGE = 1e-6;
/** What `methods_expected` was computed with. */
const SSD = { selection: 2, dampening: 0.5, trainBatch: 8, supportBatch: 4 } as const;
const PGU = { learningRate: 0.1, epochs: 1, gamma: 0.9 } as const;
const LEARNING_RATES = { jit: 0.01, scrub: 0.005, badTeacher: 0.01 } as const;
/** Retain batches are the first training images. */
const RETAIN = 8;

/**
 * Recomputes the golden numbers of SSD, PGU, JiT, SCRUB and Bad Teacher on the active device.
 *
 * @param microBatch images per pass; smaller ones check that passes add up to the whole batch
 * @returns a group per method; all tensors it makes are freed
 */
export async function selfcheckMethods(
  golden: Golden,
  microBatch = Infinity,
): Promise<SelfcheckGroup[]> {
  return await onGoldenSetting(golden, microBatch, async (setting) => {
    const groups: SelfcheckGroup[] = [];
    for (const check of [ssd, pgu, jit, scrub, badTeacher]) groups.push(await check(setting));
    return groups;
  });
}

async function ssd(setting: GoldenSetting): Promise<SelfcheckGroup> {
  const { golden, theta, backbone, source, train, support } = setting;
  const of = (images: readonly number[], batch: number) =>
    importances(theta, backbone, "multi-label", source, images, batch);
  const training = await of(train, SSD.trainBatch);
  const request = await of(support, SSD.supportBatch);
  const prefix = "ssd.theta.";
  const ratios: Computed = {};
  for (const [name, tensor] of Object.entries(request)) {
    const others = await training[name].data();
    ratios[prefix + name] = (await tensor.data()).map((own, i) => own / others[i] / SSD.selection);
  }
  return compareGolden(
    "SSD",
    {
      ...await computedOf(training, "ssd.importance.train."),
      ...await computedOf(dampen(theta, training, request, SSD), prefix),
    },
    golden.methods.expected,
    TOLERANCE,
    (tensor, i) => Math.abs(ratios[tensor]?.[i] - 1) < SELECTION_EDGE,
  );
}

async function pgu(setting: GoldenSetting): Promise<SelfcheckGroup> {
  const { golden, theta, backbone, source, train, support } = setting;
  const covariances = await inputCovariances(theta, backbone, source, train);
  const { theta: after, value, ranks } = await projectedGradient(
    theta,
    backbone,
    "multi-label",
    source,
    support,
    covariances,
    PGU,
  );
  const { expected } = golden.methods;
  /** Layers whose rank rightly differs by one: other directions, so other weights. */
  const other = new Set<string>();
  const computed: Computed = { "pgu.loss": [value] };
  for (const [layer, { rank, clearance }] of Object.entries(ranks)) {
    const [due] = goldenTensor(expected, `pgu.rank.${layer}`).values;
    const excused = Math.abs(rank - due) === 1 && clearance <= RANK_EDGE;
    computed[`pgu.rank.${layer}`] = [excused ? due : rank];
    if (excused) other.add(`pgu.theta.${layer}.weight`);
  }
  return compareGolden(
    "PGU",
    {
      ...computed,
      ...await computedOf(covariances, "pgu.covariance."),
      ...await computedOf(after, "pgu.theta."),
    },
    expected,
    TOLERANCE,
    (tensor) => other.has(tensor),
  );
}

async function jit(setting: GoldenSetting): Promise<SelfcheckGroup> {
  const { golden, theta, backbone, source, support } = setting;
  const { values, shape: [draws, ...shape] } = goldenTensor(golden.methods.batch, "jit.noise");
  const size = values.length / draws;
  const noises = Array.from({ length: draws }, (_, d) =>
    goldenPatches(golden, {
      dtype: "F32",
      shape,
      values: values.subarray(d * size, (d + 1) * size),
    }));
  const { patches } = source.batch(support);
  const { theta: after, value } = await justInTime(
    theta,
    backbone,
    patches,
    noises,
    LEARNING_RATES.jit,
  );
  return compareGolden(
    "JiT",
    { "jit.loss": [value], ...await computedOf(after, "jit.theta.") },
    golden.methods.expected,
    TOLERANCE,
  );
}

async function scrub(setting: GoldenSetting): Promise<SelfcheckGroup> {
  const { golden, theta: teacher, backbone, source, train, forget } = setting;
  const data = { teacher, ...backbone, task: "multi-label", source } as const;
  const optimiser = sgd(SCRUB);
  const start = given(setting, "scrub.start.");
  const away = await forgetStep({ theta: start, optimiser }, data, forget, LEARNING_RATES.scrub);
  const { theta } = away;
  const back = await retainStep(
    { theta, optimiser },
    data,
    train.slice(0, RETAIN),
    LEARNING_RATES.scrub,
  );
  const computed = {
    "scrub.loss.forget_nudged": [away.value],
    "scrub.loss.retain": [back.value],
    ...await computedOf(back.theta, "scrub.theta."),
  };
  // Optimisers keep what they make, whatever scope ends.
  optimiser.dispose();
  disposeWeights(back.theta);
  return compareGolden("SCRUB", computed, golden.methods.expected, TOLERANCE);
}

async function badTeacher(setting: GoldenSetting): Promise<SelfcheckGroup> {
  const { golden, theta, backbone, source, train, forget } = setting;
  // One plain step: what the momentum and decay of a whole run would add is the optimiser's own.
  const optimiser = sgd({ momentum: 0, weightDecay: 0 });
  const { theta: after, value } = await badTeacherStep(
    mapWeights(theta, tf.clone),
    optimiser,
    { competent: theta, incompetent: given(setting, "bad_teacher."), ...backbone, source },
    forget,
    train.slice(0, RETAIN),
    LEARNING_RATES.badTeacher,
  );
  const computed = {
    "bad_teacher.loss": [value],
    ...await computedOf(after, "bad_teacher.theta."),
  };
  optimiser.dispose();
  disposeWeights(after);
  return compareGolden("Bad Teacher", computed, golden.methods.expected, TOLERANCE);
}

/** Weights that the golden folder gives under a prefix. */
function given({ golden }: GoldenSetting, prefix: string): Weights {
  const own = [...golden.methods.batch].filter(([name]) => name.startsWith(prefix));
  return uploadWeights(new Map(own.map(([name, weight]) => [name.slice(prefix.length), weight])));
}
