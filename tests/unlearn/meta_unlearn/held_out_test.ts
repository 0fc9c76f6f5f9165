import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { ImageSource } from "../../../lib/data/loader/image_source.ts";
import { tugOfWar } from "../../../lib/measure/eq7_tug_of_war.ts";
import { predict } from "../../../lib/model/predict.ts";
import { Random } from "../../../lib/random.ts";
import { disposeWeights, mapWeights } from "../../../lib/tensor/weights.ts";
import { heldOutRequests, holdOut } from "../../../lib/unlearn/meta_unlearn/held_out.ts";
import { disposeSupport, supportOf } from "../../../lib/unlearn/meta_unlearn/support.ts";
import type { Person } from "../../../lib/unlearn/meta_unlearn/simulate_requests.ts";
import {
  disposeStep,
  unlearningStep,
} from "../../../lib/unlearn/meta_unlearn/algorithm1_unlearning_step.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";
import { memorisedToy, PEOPLE, VALIDATION } from "../memorised_toy.ts";

const MANY: readonly Person[] = Array.from({ length: 21 }, (_, row) => ({ row, images: [row] }));
const rowsOf = (people: readonly Person[]) => people.map(({ row }) => row);

Deno.test("holdOut keeps a share of the people apart, nobody on both sides", () => {
  for (const [share, count] of [[0, 0], [0.1, 2], [0.25, 5], [0.5, 11], [0.9, 19]]) {
    const { trained, heldOut } = holdOut(MANY, share, new Random(1, "hold out"));
    assertEquals(heldOut.length, count, `share ${share}`);
    const everyone = [...rowsOf(trained), ...rowsOf(heldOut)].sort((a, b) => a - b);
    assertEquals(everyone, rowsOf(MANY));
    for (const side of [trained, heldOut]) {
      assertEquals(rowsOf(side), rowsOf(side).toSorted((a, b) => a - b));
    }
  }
});

Deno.test("holdOut draws the people by the seed", () => {
  const draw = (seed: number) => rowsOf(holdOut(MANY, 0.5, new Random(seed, "hold out")).heldOut);
  assertEquals(draw(1), draw(1));
  assert(draw(1).join() !== draw(2).join());
});

/** A judge of the first three people, with the other three as those who stay. */
async function toyJudge() {
  const toy = await memorisedToy();
  const judged = {
    people: PEOPLE.slice(0, 3),
    retain: PEOPLE.slice(3).flatMap(({ images }) => images),
    // As few as the judged people, so that every group of unseen people is all of them.
    unseen: VALIDATION.slice(0, 3),
    requestSize: 2,
  };
  const judgeAt = (metaLearningRate: number) =>
    heldOutRequests(
      toy.theta,
      { ...toy.objective, metaLearningRate },
      judged,
      new Random(2, "judge"),
    );
  const dispose = () => {
    disposeWeights(toy.theta);
    disposeWeights(toy.phi);
  };
  const unseen = judged.unseen.flatMap(({ images }) => images);
  return { ...toy, judgeAt, unseen: toy.objective.original(unseen).metric, dispose };
}

onEachDevice(
  "heldOutRequests gives a step that does nothing the untouched model's score",
  async () => {
    const { theta, phi, judgeAt, unseen, dispose } = await toyJudge();
    const judge = await judgeAt(0.1);
    // A last layer of zeros: h is a constant, its gradient zero, theta_u theta.
    const constant = mapWeights(
      phi,
      (tensor, name) => name === "output_block.1.weight" ? tf.zerosLike(tensor) : tf.clone(tensor),
    );
    const score = await judge({ phi: constant });
    // Everything is still known by heart, while unseen people score `unseen`.
    assertEquals([score.forget, score.retain], [1, 1]);
    assertAlmostEquals(score.val, unseen, 1e-12);
    assertAlmostEquals(score.tugOfWar, unseen, 1e-12);

    // Step sizes of e^-60 undo any step: the judge must heed them.
    const still = mapWeights(theta, () => tf.scalar(-60));
    assertAlmostEquals((await judge({ phi, logStepSizes: still })).tugOfWar, unseen, 1e-12);
    disposeWeights(still);
    disposeWeights(constant);
    dispose();
  },
);

onEachDevice("heldOutRequests scores a step that wrecks everything lower than none", async () => {
  const { phi, judgeAt, unseen, dispose } = await toyJudge();
  const wreck = await judgeAt(1000);
  const score = await wreck({ phi });
  assert(Number.isFinite(score.tugOfWar), `${score.tugOfWar}`);
  assertLess(score.retain, 0.8);
  assertLess(score.tugOfWar, unseen);
  dispose();
});

onEachDevice("heldOutRequests judges the same parameters the same, time and again", async () => {
  const { phi, judgeAt, dispose } = await toyJudge();
  const judge = await judgeAt(1);
  const first = await judge({ phi });
  assertEquals(await judge({ phi }), first);
  assertEquals(await (await judgeAt(1))({ phi }), first);
  dispose();
});

/** One image each, support and forgotten at once: what a judge draws of them cannot matter. */
const SINGLES: readonly Person[] = [0, 1, 2].map((row) => ({ row, images: [4 * row] }));

for (const [requestSize, requests] of [[1, [[0], [1], [2]]], [9, [[0, 1, 2]]]] as const) {
  onEachDevice(
    `heldOutRequests at N_S = ${requestSize} scores what its ${requests.length} steps come to`,
    async () => {
      const { theta, phi, objective } = await memorisedToy();
      // Support images that differ from those of the objective's source.
      const supports: ImageSource = {
        ...objective.source,
        batch: (indices) => objective.source.batch(indices.map((i) => i + 1)),
      };
      const retain = PEOPLE.slice(3).flatMap(({ images }) => images);
      const unseen: Person[] = [24, 26, 28].map((image, row) => ({ row, images: [image] }));
      const val = unseen.flatMap(({ images }) => images);
      const settings = { ...objective, metaLearningRate: 20 };
      const judge = await heldOutRequests(
        theta,
        settings,
        { people: SINGLES, retain, unseen, requestSize, supportSource: () => supports },
        new Random(2, "judge"),
      );
      const score = await judge({ phi });

      const after = { forget: 0, retain: 0, val: 0 };
      for (const rows of requests) {
        const forget = rows.map((row) => SINGLES[row].images[0]);
        const support = await supportOf({ source: supports }, { support: forget, rows });
        const step = await unlearningStep(theta, phi, support, settings);
        const metric = async (indices: readonly number[]) => {
          const { microBatch, measure, shape, source } = objective;
          const { logits } = await predict(step.theta, shape, source, indices, microBatch);
          return measure(logits, indices).metric / requests.length;
        };
        after.forget += await metric(forget);
        after.retain += await metric(retain);
        after.val += await metric(val);
        disposeStep(step);
        disposeSupport(support);
      }
      const reference = objective.original(val).metric;
      const expected = tugOfWar(
        { forget: after.forget, retain: after.retain, test: after.val },
        { forget: reference, retain: 1, test: reference },
      );
      assertAlmostEquals(score.forget, after.forget, 1e-9);
      assertAlmostEquals(score.retain, after.retain, 1e-9);
      assertAlmostEquals(score.val, after.val, 1e-9);
      assertAlmostEquals(score.tugOfWar, expected, 1e-9);
      disposeWeights(theta);
      disposeWeights(phi);
    },
  );
}

onEachDevice("heldOutRequests compares the forgotten with equally many unseen people", async () => {
  const { theta, phi, objective } = await memorisedToy();
  // A metric that tells how many images it was taken of.
  const measure = (_: Float32Array, indices: readonly number[]) => ({
    loss: 0,
    metric: indices.length / 100,
  });
  const judge = await heldOutRequests(
    theta,
    { ...objective, measure },
    { people: PEOPLE.slice(0, 2), retain: [20], unseen: VALIDATION, requestSize: 2 },
    new Random(2, "judge"),
  );
  const { forget, tugOfWar } = await judge({ phi });
  // Two people with three images to forget each, against two of the six unseen with two each.
  assertEquals(forget, 0.06);
  assertAlmostEquals(tugOfWar, 1 - Math.abs(0.06 - 0.04), 1e-12);
  disposeWeights(theta);
  disposeWeights(phi);
});

onEachDevice(
  "heldOutRequests judges every request on the same drawn images of unseen people, so many as asked",
  async () => {
    const { theta, phi, objective } = await memorisedToy();
    const val = new Set(VALIDATION.flatMap(({ images }) => images));
    const measured: (readonly number[])[] = [];
    const spy: typeof objective = {
      ...objective,
      measure(logits, indices) {
        measured.push(indices);
        return objective.measure(logits, indices);
      },
    };
    const people = { people: PEOPLE.slice(0, 3), retain: [20, 21], unseen: VALIDATION };
    const judgeOf = (unseenImages: number) =>
      heldOutRequests(
        theta,
        spy,
        { ...people, requestSize: 1, unseenImages },
        new Random(2, "judge"),
      );
    const judge = await judgeOf(5);
    measured.length = 0;
    await judge({ phi });
    // Not those that the interval leaves out: the first five measures are the estimate's own.
    const wholes = measured.filter((indices) => indices.every((i) => val.has(i)))
      .filter(({ length }) => length === 5);
    assert(wholes.length >= 4, "before, and after each of three requests");
    for (const indices of wholes) assertEquals(indices, wholes[0]);
    assertEquals(new Set(wholes[0]).size, 5);

    // As many as there are change nothing, and neither does the default.
    const all = await (await judgeOf(val.size))({ phi });
    assertEquals(await (await judgeOf(1000))({ phi }), all);
    disposeWeights(theta);
    disposeWeights(phi);
  },
);

onEachDevice("heldOutRequests gives its estimate an interval over people", async () => {
  const { phi, judgeAt, dispose } = await toyJudge();
  const { tugOfWar, interval } = await (await judgeAt(0.1))({ phi });
  assert(interval && interval.low < tugOfWar && tugOfWar < interval.high);
  dispose();
});
