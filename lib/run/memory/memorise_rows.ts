import * as tf from "@tensorflow/tfjs";
import type { Weight } from "../../model/safetensors.ts";
import type { Random } from "../../random.ts";
import { checkDevice } from "../../tensor/device_fault.ts";
import { Gathered } from "../../tensor/recording/gathered.ts";
import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import { disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";
import { unflatten } from "../../unlearn/memory/flat.ts";
import {
  disposeMoments,
  gradientMoments,
  sampledResiduals,
} from "../../unlearn/memory/gradient_moments.ts";
import { disposeSettings, initialSettings, learnStep } from "../../unlearn/memory/learn_step.ts";
import { memorise, rowLength } from "../../unlearn/memory/memorise.ts";
import type { MemoriseRecipe, MemoryContext } from "../../unlearn/memory/memory_context.ts";
import { preconditionAll, type StepSettings } from "../../unlearn/memory/preconditioner.ts";
import { RowsInMemory } from "../../unlearn/memory/row_store.ts";
import { keptMoments } from "./kept_moments.ts";
import type { MemoryInputs, MemorySettings } from "./memory_inputs.ts";
import { answersOf, heldOutFold, type Logits } from "./reference_answers.ts";
import { RowFiles } from "./row_files.ts";

/** Everybody's steps by rounds of simulated requests. @param keep is given each person's, in order */
export async function memoriseRows(
  inputs: MemoryInputs,
  settings: MemorySettings,
  own: Logits,
  random: Random,
  keep: (step: ReadonlyMap<string, Weight>, row: number) => Promise<void>,
): Promise<void> {
  const { theta, config, microBatch, source, people, val, folds, answers, onProgress } = inputs;
  const { task, labels: { length: labels } } = config;
  const everything = [...people.flatMap(({ images }) => images), ...val];
  const { memorise: recipe } = settings;
  const length = rowLength(theta, recipe);
  const fingerprint = JSON.stringify({
    settings: { ...settings, learn: null, layers: null, requestSizes: null, mostLost: null },
    ...{ microBatch, run: inputs.fingerprint },
  });
  // First: a folder of another run's is told of at once.
  const rows = await RowFiles.open(inputs.rowsFolder, people.length, length, fingerprint, {
    ...inputs.rowFiles,
  });
  const sample = random.fork("moments").shuffle(everything).slice(0, settings.momentImages);
  const residuals = sampledResiduals(task, own.of(sample), labels, random.fork("labels"));
  let done = 0;
  const backbone = { shape: config, microBatch };
  const moments = await keptMoments(
    inputs.rowsFolder,
    fingerprint,
    () =>
      gradientMoments(theta, backbone, source, sample, residuals, (count) => {
        done += count;
        const total = 2 * sample.length;
        onProgress?.({ stage: "gradients' moments", done, total, unit: "images" });
      }),
  );

  const context: MemoryContext = {
    ...{ theta, shape: config, microBatch, task, source, people, val, moments },
    reference: answersOf(answers.reference, config),
    original: answersOf(own, config),
  };
  const first = new RowsInMemory(rowLength(theta, ONCE));
  const probe = random.fork("probe").shuffle(people).slice(0, PROBE_PEOPLE);
  const none = noSettings(theta);
  await memorise(context, none, ONCE, random.fork("probe"), first, { groups: [probe] });
  disposeSettings(none);
  const start = await initialSettings(
    context,
    probe.map(({ row }) => first.read(row)),
    settings.share,
    settings.damping,
    settings.power,
  );

  const asked = recipe.rounds * people.length;
  done = rows.rounds * people.length;
  await memorise(context, start, recipe, random.fork("rounds"), rows, {
    from: rows.rounds,
    onPeople(count, round) {
      done += count;
      const note = `round ${round} of ${recipe.rounds}`;
      onProgress?.({ stage: "memorise", done, total: asked, unit: "people", note });
    },
  });

  const heldOut = new Set(
    people.filter(({ row }) => folds.sets[0][row] === heldOutFold(folds)).map(({ row }) => row),
  );
  const learned = settings.learn
    ? await learnStep(
      context,
      people.filter(({ row }) => !heldOut.has(row)),
      rows,
      start,
      settings.learn,
      random.fork("learn"),
    )
    : start;

  const precondition = new Recorded((gradients: Tensors) =>
    preconditionAll(gradients, moments, learned) as Tensors
  );
  const results = new Gathered(WAITING);
  const found: { step: ReadonlyMap<string, Weight>; row: number }[] = [];
  const keepFound = async () => {
    checkDevice();
    for (const { step, row } of found.splice(0)) await keep(step, row);
  };
  for (const { row } of people) {
    const own = (await rows.read(row)).subarray(0, rowLength(theta, {}));
    const gradients = unflatten(own, theta);
    const step = Object.entries(precondition.run(gradients));
    disposeWeights(gradients);
    await results.add(step.map(([, tensor]) => tensor), (...values) => {
      const weights = step.map(([name, { shape }], i): [string, Weight] => [
        name,
        { dtype: "F32", shape, values: values[i] },
      ]);
      found.push({ step: new Map(weights), row });
    });
    await keepFound();
  }
  await results.finish();
  await keepFound();
  precondition.dispose();
  disposeMoments(moments);
  if (learned !== start) disposeSettings(learned);
  disposeSettings(start);
  rows.close();
}

/** Numbers of steps that wait on the device to be read together, unless one takes more. */
const WAITING = 2 ** 22;
/** People whose plain gradients the size of the first step is set by. */
const PROBE_PEOPLE = 24;
/** One round without what others lose: plain gradients at theta. */
const ONCE: MemoriseRecipe = {
  rounds: 1,
  groupSizes: [1],
  retainWeight: 0,
  valWeight: 0,
  retainImages: 1,
  lastStep: 1,
};

/** Settings of no damping and no power, under which rows that are zero move nothing. */
function noSettings(theta: Weights): StepSettings {
  const zeros = () => mapWeights(theta, () => tf.scalar(0));
  return { logSize: zeros(), logDamping: zeros(), power: zeros() };
}
