import { range } from "../../data/loader/image_source.ts";
import { finishBeforeExit } from "../../files/finish_before_exit.ts";
import type { KernelChoice } from "../../tensor/kernels/autotune/kernel_choice.ts";
import { chooseKernels } from "../../tensor/kernels/autotune/choose_kernels.ts";
import type { Weights } from "../../tensor/weights.ts";
import type { Answers } from "../../unlearn/memory/divergence.ts";
import { heldOutRequests } from "../../unlearn/meta_unlearn/held_out.ts";
import {
  disposeParameters,
  type MetaEpoch,
  metaLearn,
  type MetaParameters,
} from "../../unlearn/meta_unlearn/meta_learn.ts";
import type { MetaObjective } from "../../unlearn/meta_unlearn/meta_objective.ts";
import type { Person } from "../../unlearn/meta_unlearn/simulate_requests.ts";
import { foldAnswers } from "../memory/fold_answers.ts";
import { foldModels } from "../memory/fold_models.ts";
import { memoryRandom } from "../memory/make_memory.ts";
import { kernelProgress, type OnProgress } from "../progress.ts";
import { initialParameters } from "./initial_parameters.ts";
import { metaObjective } from "./objective.ts";
import type { MetaLearningRun } from "./open_run.ts";
import type { MetaLearnSettings } from "./settings.ts";
import { loadMetaLearning, metaLearningStatePath, saveMetaLearning } from "./state.ts";

/** Images of meta-trained people that held-out requests are judged on. */
const RETAIN_SAMPLE = 256;

/** What the epochs leave. */
export interface LearnedEpochs {
  /** Owned by the caller. */
  readonly parameters: MetaParameters;
  readonly objective: MetaObjective;
  readonly history: readonly MetaEpoch[];
  /** How this adapter computes products, where it was measured. */
  readonly kernels?: KernelChoice;
}

/**
 * Meta-learns h_phi (Algorithm 1), epoch after epoch, from where a stopped run left its state; the state
 * is saved after each.
 *
 * @param theta on the device; stays the caller's
 * @throws LetheError the state is another run's, or fold models cannot be trained
 */
export async function learnEpochs(run: MetaLearningRun, theta: Weights): Promise<LearnedEpochs> {
  const { options, settings, model, microBatch, source, train, trained, random } = run;
  const { device, seed, onProgress } = options;
  const { config } = model;
  // Before the passes below, so that a state of another run is told of at once.
  const statePath = metaLearningStatePath(options.out);
  const saved = await loadMetaLearning(statePath, run.fingerprint);
  // `keep` compares with theta's own losses on its images; without it only Dv's are needed.
  const cached = settings.keep === "retain" ? range(run.samples.length) : run.val;
  let reference: Answers | undefined;
  if (settings.form.align === "folds") {
    const random = memoryRandom(seed).fork("folds");
    await foldModels({ ...run.foldOptions, ...run.folds, random });
    reference = await foldAnswers(run.folds.folder, model, run.data, source, train, microBatch);
  }
  const objective = {
    ...await metaObjective(theta, config, source, cached, settings, microBatch, onProgress),
    ...(reference ? { reference } : {}),
  };
  const judge = await judgeOf(run, theta, objective);
  const initial = await initialParameters(
    {
      ...{ theta, config, source, trained, microBatch },
      identities: run.identities.length,
      ...(onProgress ? { onProgress } : {}),
    },
    settings,
    random,
  );

  const epochsDone = saved?.history.length ?? 0;
  if (saved) options.onNotice?.(`${statePath}: goes on after epoch ${epochsDone}`);
  let done = epochsDone * requestedPeople(trained, settings);
  const total = settings.epochs * requestedPeople(trained, settings);
  const kernels = chooseKernels(device, model.kernels, kernelProgress(onProgress));
  const { parameters, history } = await metaLearn(
    {
      recipe: settings,
      objective,
      seed,
      people: trained,
      val: run.val,
      hidden: settings.hidden,
      heldOut: judge,
      ...(settings.varySupport ? { supportSource: run.variedSource } : {}),
      onFirstStep: () => kernels.settle(),
      onRequest(count, epoch, value) {
        done += count;
        const note = `epoch ${epoch}/${settings.epochs}, A ${value.toFixed(4)}`;
        onProgress?.({ stage: "meta-learn", done, total, unit: "people", note });
      },
      async onEpoch(state) {
        options.onEpoch?.(state.history.at(-1)!);
        await finishBeforeExit(() => saveMetaLearning(statePath, run.fingerprint, state));
      },
    },
    theta,
    initial,
    saved,
  );
  disposeParameters(initial);
  return { parameters, objective, history, ...(kernels.choice ? { kernels: kernels.choice } : {}) };
}

/** Judges epochs on simulated requests of people who are held out; undefined where nobody is. */
async function judgeOf(run: MetaLearningRun, theta: Weights, objective: MetaObjective) {
  const { settings, heldOut, trained, unseen, random, options } = run;
  if (heldOut.length === 0) return undefined;
  return await heldOutRequests(
    theta,
    objective,
    {
      people: heldOut,
      retain: random.fork("retain sample")
        .shuffle(trained.flatMap((person) => person.images)).slice(0, RETAIN_SAMPLE),
      unseen,
      requestSize: settings.requestSize,
      ...(settings.varySupport
        ? { supportSource: () => run.variedSource(random.fork("judge support")) }
        : {}),
      ...(settings.heldOutImages === undefined ? {} : { unseenImages: settings.heldOutImages }),
    },
    random.fork("judge"),
    rounds("judge held-out requests", heldOut.length, settings.requestSize, options.onProgress),
  );
}

/** Tells how many of the people a judge has asked for, judgement after judgement. */
function rounds(
  stage: string,
  people: number,
  requestSize: number,
  onProgress: OnProgress | undefined,
): (people: number) => void {
  const size = Math.min(requestSize, people);
  const total = Math.ceil(people / size) * size;
  let done = 0;
  return (count) => {
    done = done % total + count;
    onProgress?.({ stage, done, total, unit: "people" });
  };
}

/** People asked for in one meta-epoch: all, and those who fill the last request. */
function requestedPeople(people: readonly Person[], { requestSize }: MetaLearnSettings): number {
  return Math.ceil(people.length / requestSize) * requestSize;
}
