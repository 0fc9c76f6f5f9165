import { assert, assertAlmostEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { sgd } from "../../lib/tensor/optimisers/sgd.ts";
import { disposeWeights, mapWeights } from "../../lib/tensor/weights.ts";
import { badTeacherStep } from "../../lib/unlearn/bad_teacher.ts";
import { justInTime } from "../../lib/unlearn/jit.ts";
import { inputCovariances, projectedGradient } from "../../lib/unlearn/pgu.ts";
import { forgetStep, retainStep, SCRUB } from "../../lib/unlearn/scrub.ts";
import { dampen, importances } from "../../lib/unlearn/ssd.ts";
import { METHODS_BATCH } from "../measure/golden_methods.ts";
import { assertGolden, assertGoldenWeights, goldenMethodTest } from "./golden_setting.ts";

goldenMethodTest("dampen and importances agree with PyTorch's SSD", async (setting) => {
  const { theta, golden: { shape }, source, train, support } = setting;
  const training = await importances(theta, shape, "multi-label", source, train, 8);
  const request = await importances(theta, shape, "multi-label", source, support, 4);
  await assertGoldenWeights(training, "ssd.importance.train.", setting);
  const alpha = 2;
  const after = dampen(theta, training, request, { selection: alpha, dampening: 0.5 });
  let [near, elements, changed] = [0, 0, 0];
  for (const [name, tensor] of Object.entries(after)) {
    const [own, others] = [await request[name].data(), await training[name].data()];
    // Elements on the edge of being chosen fall to either side by rounding.
    const clear = own.map((value, i) => Math.abs(value / others[i] / alpha - 1) > 1e-3 ? 1 : 0);
    near += clear.filter((each) => each === 0).length;
    elements += clear.length;
    const before = await theta[name].data();
    const values = await tensor.data();
    changed += values.filter((value, i) => value !== before[i]).length;
    assertGolden(
      `ssd.theta.${name}`,
      values,
      setting.expected(`ssd.theta.${name}`),
      (i) => clear[i] === 1,
    );
  }
  assert(near < elements / 100, `${near} of ${elements} elements are on the edge`);
  assert(changed > elements / 100, `${changed} of ${elements} elements are dampened`);
  for (const weights of [training, request, after]) disposeWeights(weights);
});

goldenMethodTest(
  "projectedGradient and inputCovariances agree with PyTorch's PGU",
  async (setting) => {
    const { theta, golden: { shape }, source, train, support, expected } = setting;
    const covariances = inputCovariances(theta, shape, source, train, 10);
    await assertGoldenWeights(covariances, "pgu.covariance.", setting);
    const { theta: after, value, ranks } = await projectedGradient(
      theta,
      shape,
      "multi-label",
      source,
      support,
      covariances,
      { learningRate: 0.1, epochs: 1, gamma: 0.9 },
    );
    for (const [layer, rank] of Object.entries(ranks)) {
      assert(Math.abs(rank - expected(`pgu.rank.${layer}`)[0]) <= 1, `${layer}: rank ${rank}`);
    }
    assertAlmostEquals(value, expected("pgu.loss")[0], 1e-4);
    await assertGoldenWeights(after, "pgu.theta.", setting);
    for (const weights of [covariances, after]) disposeWeights(weights);
  },
);

goldenMethodTest("justInTime agrees with PyTorch's JiT", async (setting) => {
  const { theta, golden: { shape }, source, support, expected, patches } = setting;
  const batch = source.batch(support);
  const { values, shape: [draws, ...image] } = METHODS_BATCH!.get("jit.noise")!;
  const size = values.length / draws;
  const noises = Array.from({ length: draws }, (_, d) =>
    patches({
      dtype: "F32",
      shape: image,
      values: (values as Float32Array).subarray(d * size, (d + 1) * size),
    }));
  const { theta: after, value } = await justInTime(theta, shape, batch.patches, noises, 0.01);
  assertAlmostEquals(value, expected("jit.loss")[0], 1e-4);
  await assertGoldenWeights(after, "jit.theta.", setting);
  tf.dispose([batch.patches, batch.targets, noises]);
  disposeWeights(after);
});

goldenMethodTest("forgetStep and retainStep agree with PyTorch's SCRUB", async (setting) => {
  const { theta: teacher, golden: { shape }, source, train, forget, expected } = setting;
  const data = { teacher, shape, task: "multi-label", source } as const;
  const optimiser = sgd(SCRUB);
  const start = setting.weights("scrub.start.");
  const away = await forgetStep({ theta: start, optimiser }, data, forget, 0.005);
  assertAlmostEquals(away.value, expected("scrub.loss.forget_nudged")[0], 1e-4);
  const { theta } = away;
  const back = await retainStep({ theta, optimiser }, data, train.slice(0, 8), 0.005);
  assertAlmostEquals(back.value, expected("scrub.loss.retain")[0], 1e-4);
  await assertGoldenWeights(back.theta, "scrub.theta.", setting);
  optimiser.dispose();
  disposeWeights(back.theta);
});

goldenMethodTest("badTeacherStep agrees with PyTorch's Bad Teacher", async (setting) => {
  const { theta, golden: { shape }, source, train, forget, expected } = setting;
  const incompetent = setting.weights("bad_teacher.");
  const optimiser = sgd({ momentum: 0.9, weightDecay: 0 });
  const { theta: after, value } = await badTeacherStep(
    mapWeights(theta, tf.clone),
    optimiser,
    { competent: theta, incompetent, shape, source },
    forget,
    train.slice(0, 8),
    0.01,
  );
  assertAlmostEquals(value, expected("bad_teacher.loss")[0], 1e-4);
  await assertGoldenWeights(after, "bad_teacher.theta.", setting);
  optimiser.dispose();
  for (const weights of [incompetent, after]) disposeWeights(weights);
});
