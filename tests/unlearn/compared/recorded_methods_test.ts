import { assert, assertEquals, assertNotEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { initialVit } from "../../../lib/model/initial_vit.ts";
import { Random } from "../../../lib/random.ts";
import { activeWebgpu } from "../../../lib/tensor/recording/owned_tensor.ts";
import { useRecording } from "../../../lib/tensor/recording/recorded.ts";
import { disposeWeights, type Weights } from "../../../lib/tensor/weights.ts";
import { badTeacher } from "../../../lib/unlearn/compared/bad_teacher.ts";
import { JustInTime, justInTime } from "../../../lib/unlearn/compared/jit.ts";
import { inputCovariances } from "../../../lib/unlearn/compared/input_covariances.ts";
import { projectedGradient } from "../../../lib/unlearn/compared/pgu.ts";
import { referenceTuning } from "../../../lib/unlearn/compared/reference_tuning.ts";
import { scrub } from "../../../lib/unlearn/compared/scrub.ts";
import { importances } from "../../../lib/unlearn/compared/ssd.ts";
import { onHost } from "../../tensor/directions.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";
import { TOY_SHAPE, toyObjective } from "../toy_objective.ts";

const FORGET = [0, 1, 2, 3, 4];
const RETAIN = [5, 6, 7, 8, 9, 10, 11];
const BACKBONE = { shape: TOY_SHAPE, microBatch: 4 };

type Toy = Awaited<ReturnType<typeof toyObjective>>;

/** Methods that loop, each on the toy. */
const METHODS: Readonly<Record<string, (toy: Toy) => Promise<Weights>>> = {
  scrub: ({ theta, objective: { task, source } }) =>
    scrub(
      { teacher: theta, task, source, ...BACKBONE },
      FORGET,
      RETAIN,
      { learningRate: 0.05, epochs: 3, forgettingEpochs: 2, batchSize: 4 },
      new Random(1, "scrub"),
    ),
  async badTeacher({ theta, objective: { source } }) {
    const labels = theta["head.bias"].size;
    const incompetent = initialVit(TOY_SHAPE, labels, new Random(2, "incompetent"));
    const after = await badTeacher(
      { competent: theta, incompetent, source, ...BACKBONE },
      FORGET,
      RETAIN,
      { learningRate: 0.05, epochs: 2, batchSize: 4 },
      new Random(1, "bad teacher"),
    );
    disposeWeights(incompetent);
    return after;
  },
  async justInTime({ theta, objective: { source } }) {
    const { patches, targets } = source.batch(FORGET.slice(0, 3));
    const random = new Random(3, "noise");
    const noises = Array.from(
      { length: 4 },
      () =>
        tf.tensor(
          Float32Array.from({ length: patches.size }, () => random.normal()),
          patches.shape,
        ),
    );
    const { theta: after } = await justInTime(theta, BACKBONE, patches, noises, 0.05);
    tf.dispose([patches, targets, noises]);
    return after;
  },
  referenceTuning: ({ theta, objective: { task, source } }) =>
    referenceTuning(
      {
        ...{ theta, task, source, ...BACKBONE },
        reference: (indices) => source.targets(indices).map((y) => 0.2 + 0.6 * y),
      },
      FORGET,
      RETAIN,
      { learningRate: 0.05, epochs: 3, batchSize: 4, retainWeight: 2 },
      new Random(1, "reference tuning"),
    ),
  importances: ({ theta, objective: { task, source } }) =>
    importances(theta, BACKBONE, task, source, [...FORGET, ...RETAIN], 3),
  async projectedGradient({ theta, objective: { task, source } }) {
    const covariances = await inputCovariances(theta, BACKBONE, source, [...FORGET, ...RETAIN]);
    const settings = { learningRate: 0.05, epochs: 4, gamma: 0.5 };
    const { theta: after, value } = await projectedGradient(
      theta,
      BACKBONE,
      task,
      source,
      FORGET.slice(0, 3),
      covariances,
      settings,
    );
    assert(Number.isFinite(value));
    disposeWeights(covariances);
    return after;
  },
};

for (const [name, run] of Object.entries(METHODS)) {
  onEachDevice(`${name} gives the same bits recorded and unrecorded, and moves theta`, async () => {
    const toy = await toyObjective(12);
    const backend = activeWebgpu();
    const before = backend?.replayed ?? 0;
    const { numTensors } = tf.memory();
    const after = await run(toy);
    const bits = await onHost(after);
    disposeWeights(after);
    assertEquals(tf.memory().numTensors, numTensors);
    if (backend) assert(backend.replayed > before, "nothing was replayed");
    useRecording(false);
    try {
      const again = await run(toy);
      assertEquals(await onHost(again), bits);
      disposeWeights(again);
      assertEquals(tf.memory().numTensors, numTensors);
    } finally {
      useRecording(true);
    }
    assertNotEquals(
      bits["blocks.0.mlp.fc1.weight"],
      (await onHost(toy.theta))["blocks.0.mlp.fc1.weight"],
    );
    for (const weights of [toy.theta, toy.phi]) disposeWeights(weights);
  });
}

onEachDevice(
  "JustInTime replays each request after the first of its size, to the bits of one alone",
  async () => {
    const { theta, phi, objective: { source } } = await toyObjective(12);
    const backend = activeWebgpu();
    const noise = (patches: tf.Tensor, seed: number) => {
      const random = new Random(seed, "noise");
      const values = () => Float32Array.from({ length: patches.size }, () => random.normal());
      return [tf.tensor(values(), patches.shape), tf.tensor(values(), patches.shape)];
    };
    const { numTensors } = tf.memory();
    const steps = new JustInTime({ theta, backbone: BACKBONE, learningRate: 0.05 });
    const queued: number[] = [];
    for (const [seed, images] of [[0, [1, 2, 3]], [1, [4, 5, 6]], [2, [3, 2, 1]]] as const) {
      const { patches, targets } = source.batch(images);
      const noises = noise(patches, seed);
      const people = seed === 2 ? [7, 7, 8] : undefined;
      const before = backend?.dispatched ?? 0;
      const shared = await steps.take(patches, noises, people);
      queued.push((backend?.dispatched ?? 0) - before);
      const alone = await justInTime(theta, BACKBONE, patches, noises, 0.05, people);
      assertEquals(shared.value, alone.value);
      assertEquals(await onHost(shared.theta), await onHost(alone.theta));
      for (const each of [shared, alone]) disposeWeights(each.theta);
      tf.dispose([patches, targets, noises]);
    }
    if (backend) assertEquals(queued, [0, 0, 0]);
    steps.dispose();
    assertEquals(tf.memory().numTensors, numTensors);
    for (const weights of [theta, phi]) disposeWeights(weights);
  },
);

onEachDevice(
  "inputCovariances replays each pass after the first, to the bits of passes added up one by one",
  async () => {
    const { theta, phi, objective: { source } } = await toyObjective(12);
    const pieces = [FORGET.slice(0, 4), RETAIN.slice(0, 4), RETAIN.slice(3, 7), RETAIN.slice(0, 2)];
    let due: Weights | null = null;
    for (const piece of pieces) {
      const own = await inputCovariances(theta, BACKBONE, source, piece);
      const before: Weights | null = due;
      due = before
        ? Object.fromEntries(
          Object.keys(own).map((name) => [name, tf.add(before[name], own[name])]),
        )
        : own;
      if (before) { for (const weights of [before, own]) disposeWeights(weights); }
    }
    const backend = activeWebgpu();
    const before = { dispatched: backend?.dispatched ?? 0, replayed: backend?.replayed ?? 0 };
    let counted = 0;
    const { numTensors } = tf.memory();
    const found = await inputCovariances(theta, BACKBONE, source, pieces.flat(), {
      onImages: (images) => counted += images,
    });
    assertEquals(counted, pieces.flat().length);
    assertEquals(await onHost(found), await onHost(due!));
    assertEquals(tf.memory().numTensors, numTensors + Object.keys(found).length);
    if (backend) {
      // One pass op by op, three replayed.
      const [queued, replayed] = [
        backend.dispatched - before.dispatched,
        backend.replayed - before.replayed,
      ];
      assert(replayed > 2 * queued, `${replayed} replayed, ${queued} op by op`);
    }
    for (const weights of [theta, phi, found, due!]) disposeWeights(weights);
  },
);
