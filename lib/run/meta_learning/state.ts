import { loadState, saveState } from "../../model/saved_state.ts";
import type { Weights } from "../../tensor/weights.ts";
import type {
  MetaEpoch,
  MetaLearningState,
  MetaParameters,
} from "../../unlearn/meta_unlearn/meta_learn.ts";

/** Where a run's state lies until it is done. */
export function metaLearningStatePath(out: string): string {
  return `${out.replace(/[/\\]+$/, "")}.meta-learning`;
}

/** Saves a run after an epoch. @param fingerprint all that the run's bits depend on */
export async function saveMetaLearning(
  path: string,
  fingerprint: string,
  { parameters, best, moments, stepSizeMoments, history, steps }: MetaLearningState,
): Promise<void> {
  await saveState(path, fingerprint, {
    sets: {
      phi: parameters.phi,
      logStepSizes: parameters.logStepSizes ?? {},
      bestPhi: best.phi,
      bestLogStepSizes: best.logStepSizes ?? {},
      moments,
      stepSizeMoments,
    },
    record: { history, steps },
  });
}

/**
 * Reads what {@link saveMetaLearning} wrote.
 *
 * @returns undefined where there is nothing; the tensors are the caller's
 * @throws LetheError the state is another run's, or damaged
 */
export async function loadMetaLearning(
  path: string,
  fingerprint: string,
): Promise<MetaLearningState | undefined> {
  const saved = await loadState<{ history: MetaEpoch[]; steps: number }>(path, fingerprint);
  return saved ? restored(saved.sets, saved.record) : undefined;
}

function restored(
  sets: Readonly<Record<string, Weights>>,
  record: { history: MetaEpoch[]; steps: number },
): MetaLearningState {
  const parameters = (phi: string, sizes: string): MetaParameters => ({
    phi: sets[phi],
    ...(sets[sizes] ? { logStepSizes: sets[sizes] } : {}),
  });
  return {
    ...record,
    parameters: parameters("phi", "logStepSizes"),
    best: parameters("bestPhi", "bestLogStepSizes"),
    moments: sets.moments ?? {},
    stepSizeMoments: sets.stepSizeMoments ?? {},
  };
}
