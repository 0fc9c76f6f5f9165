import { assertEquals, assertNotEquals } from "@std/assert";
import type {
  HeldOut,
  MetaLearning,
  MetaParameters,
} from "../../lib/unlearn/meta_unlearn/meta_learn.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";
import { bitsOf, disposeState, runWhole, toyRun } from "./toy_meta_learning.ts";

/** What a run can have beyond the paper's objective. */
const EVERYTHING = { dropout: 0.5, keep: "retain", stepSizeLearningRate: 0.1 } as const;

/** A judge that gives the epochs after `done` their scores in turn. */
function scripted(scores: readonly number[], done = 0) {
  const left = scores.slice(done);
  return (): Promise<HeldOut> =>
    Promise.resolve({ tugOfWar: left.shift()!, forget: 0, retain: 0, val: 0 });
}

onEachDevice("metaLearn as published goes on from each epoch to a whole run's bits", async () => {
  const { theta, learning, initial, dispose } = await toyRun({ epochs: 2 });
  const { states, ...whole } = await runWhole(theta, learning, initial);
  for (const from of states) {
    const { states: after, ...rest } = await runWhole(theta, learning, initial, from);
    assertEquals(rest, whole);
    after.forEach(disposeState);
  }
  dispose();
});

onEachDevice(
  "metaLearn with every option goes on from each epoch to a whole run's bits",
  async () => {
    const { theta, learning, initial, dispose } = await toyRun({
      epochs: 2,
      requestSize: 4,
      ...EVERYTHING,
    });
    const { source } = learning.objective;
    const run = (done: number): MetaLearning => ({
      ...learning,
      // Support images that depend on the stream they are drawn from.
      supportSource: (random) => ({
        ...source,
        batch: (support) => source.batch(support.map((i) => i - i % 4 + random.integer(4))),
      }),
      heldOut: scripted([0.7, 0.2], done),
    });
    const { states, ...whole } = await runWhole(theta, run(0), initial);
    for (const [i, from] of states.entries()) {
      const { states: after, ...rest } = await runWhole(theta, run(i + 1), initial, from);
      assertEquals(rest, whole);
      after.forEach(disposeState);
    }
    dispose();
  },
);

for (
  const [scores, best] of [
    [[0.2, 0.7, 0.5], 2],
    [[0.5, 0.2, 0.5], 1],
    [[0.1, 0.2, 0.3], 3],
    [[NaN, 0.2, 0.1], 2],
    [[0.3, NaN, 0.2], 1],
    [undefined, 3],
  ] as const
) {
  const judged = scores ? `scores ${scores.join(", ")}` : "no judge";
  onEachDevice(`metaLearn with ${judged} hands out epoch ${best}`, async () => {
    const { theta, learning, initial, dispose } = await toyRun({
      requestSize: 6,
      stepSizeLearningRate: 0.1,
    });
    const judge = scores && scripted(scores);
    const shown: unknown[] = [];
    const heldOut = judge && (async (parameters: MetaParameters) => {
      shown.push(await bitsOf(parameters));
      return judge();
    });
    const { bits, history, states } = await runWhole(theta, { ...learning, heldOut }, initial);
    const epochs = [];
    for (const state of states) {
      epochs.push(await bitsOf(state.parameters));
      disposeState(state);
    }
    assertEquals(bits, epochs[best - 1]);
    assertNotEquals(epochs[0], epochs[1]);
    assertNotEquals(epochs[1], epochs[2]);
    assertEquals(shown, scores ? epochs : []);
    assertEquals(
      history.map((epoch) => epoch.heldOut?.tugOfWar),
      scores ?? Array(3).fill(undefined),
    );
    assertEquals(history.map(({ epoch }) => epoch), [1, 2, 3]);
    dispose();
  });
}
