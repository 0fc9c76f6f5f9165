import { PASS_SIZE } from "../unlearn/pass_size.ts";
import { samplesOf } from "../data/split.ts";
import type { Samples } from "../data/sample.ts";
import { taskMetric } from "../measure/evaluation.ts";
import { meanLoss } from "../measure/loss.ts";
import { positionsByPerson } from "../measure/people.ts";
import type { Model } from "../model/checkpoint.ts";
import { uploadWeights } from "../model/device_weights.ts";
import { foldAnswers } from "./memory/fold_answers.ts";
import { furtherCandidate, MOST_FURTHER } from "../unlearn/further_candidate.ts";
import type { SplitData } from "./split_data.ts";
import type { SplitImages } from "./split_images.ts";
import { range } from "../data/loader/image_source.ts";
import { Random } from "../random.ts";
import { disposeWeights } from "../tensor/weights.ts";
import { requestJudge } from "../unlearn/meta_unlearn/held_out.ts";
import type { HeldOut } from "../unlearn/meta_unlearn/meta_learn.ts";
import { type MethodSettings, needsData } from "../unlearn/methods.ts";
import type { Method } from "../unlearn/methods/method.ts";
import type { Person } from "../unlearn/meta_unlearn/simulate_requests.ts";
import type { TrainingStatistics } from "../unlearn/training_statistics.ts";

/** How candidate settings fared on simulated requests, and which did best. */
export interface ChosenSettings {
  readonly chosen: MethodSettings;
  readonly trials: readonly {
    readonly settings: MethodSettings;
    /** Null where the model was wrecked. */
    readonly estimate: HeldOut | null;
  }[];
}

/** What {@link chooseSettings} may be told. */
export interface ChoiceOptions {
  /** Validation images that each simulated request is judged on. */
  readonly unseenImages?: number;
  /** Folder of the fold models, for methods that need references. */
  readonly foldModels?: string;
  /** Called after each simulated request, of all candidates' together. */
  readonly onRequest?: (done: number, total: number) => void;
}

/** People whose simulated requests a candidate is judged by, at least. */
const LEAST_PEOPLE = 8;
/** Images of people who stay that a candidate is judged on. */
const RETAIN_SAMPLE = 512;

/**
 * Chooses a method's settings by simulated requests of people who stay: the highest Tug-of-War as
 * {@link requestJudge} estimates it. Neither the people who will be forgotten nor the test people play
 * a part, not even as retained images. Where the best lies at the edge of what was tried, what lies beyond
 * is tried too ({@link furtherCandidate}).
 *
 * @param candidates at least one; one alone is taken as it is
 */
export async function chooseSettings(
  method: Method,
  candidates: readonly MethodSettings[],
  model: Model,
  data: SplitData,
  images: SplitImages,
  statistics: TrainingStatistics | undefined,
  seed: number,
  { unseenImages, foldModels, onRequest }: ChoiceOptions = {},
): Promise<ChosenSettings> {
  if (candidates.length === 1) return { chosen: candidates[0], trials: [] };
  const { config } = model;
  const { split, dataset } = data;
  const random = new Random(seed, "choose settings");
  const [known, val] = [samplesOf(split, dataset, "retain"), samplesOf(split, dataset, "val")];
  const source = images.source([...known, ...val], config);
  const size = Math.min(split.forgetCount, Math.floor(split.identities.retain.length / 2));
  const people = random.fork("people").shuffle(peopleOf(known, 0));
  // Methods that train on the training images take long: one request of theirs must do.
  const asked = Math.max((needsData(method) ? 1 : 2) * size, LEAST_PEOPLE);
  const asking = people.slice(0, Math.min(asked, people.length - 1));
  const theta = uploadWeights(model.theta);
  const staying = people.slice(asking.length).flatMap((person) => person.images);
  const references = foldModels === undefined
    ? undefined
    : await foldAnswers(foldModels, model, data, source, known, PASS_SIZE);
  const requests = Math.ceil(asking.length / Math.min(size, asking.length));
  let total = candidates.length * requests;
  let done = 0;
  const judge = await requestJudge(
    theta,
    {
      shape: config,
      source,
      microBatch: 64,
      measure(logits, indices) {
        const [targets, labels] = [source.targets(indices), config.labels.length];
        return {
          loss: meanLoss(config.task, logits, targets, labels),
          metric: taskMetric(config.task, logits, targets, labels),
        };
      },
    },
    {
      people: asking,
      retain: random.fork("retain sample").shuffle(staying).slice(0, RETAIN_SAMPLE),
      unseen: peopleOf(val, known.length),
      requestSize: size,
      ...(unseenImages === undefined ? {} : { unseenImages }),
    },
    random.fork("judge"),
    () => onRequest?.(++done, total),
  );
  const trials: { settings: MethodSettings; estimate: HeldOut | null }[] = [];
  const attempt = async (settings: MethodSettings) => {
    const estimate = await judge(async ({ rows, support, forget }) => {
      const gone = new Set([...support, ...forget]);
      const retain = range(known.length).filter((i) => !gone.has(i));
      const context = {
        theta,
        shape: config,
        microBatch: PASS_SIZE,
        task: config.task,
        source,
        ...(statistics ? { statistics } : {}),
        ...(references ? { references } : {}),
        random: random.fork(`trial ${rows.join()}`),
      };
      return (await method.run(context, { support, forget, retain }, settings)).theta;
    });
    trials.push({ settings, estimate: Number.isFinite(estimate.tugOfWar) ? estimate : null });
  };
  const best = () =>
    trials.reduce((a, b) => (b.estimate?.tugOfWar ?? -1) > (a.estimate?.tugOfWar ?? -1) ? b : a)
      .settings;
  for (const settings of candidates) await attempt(settings);
  for (let further = 0; further < MOST_FURTHER; further++) {
    const next = furtherCandidate(method, trials.map(({ settings }) => settings), best());
    if (next === undefined) break;
    total += requests;
    await attempt(next);
  }
  disposeWeights(theta);
  return { chosen: best(), trials };
}

/** People by their images' positions, counted from `offset`. */
function peopleOf(samples: Samples, offset: number): Person[] {
  return [...positionsByPerson(samples.map(({ identity }) => identity)).values()]
    .map((positions, row) => ({ row, images: positions.map((i) => offset + i) }));
}
