import * as tf from "@tensorflow/tfjs";
import type { ImageFeed } from "../data/loader/image_source.ts";
import type { Task } from "../data/sample.ts";
import { initialVit } from "../model/initial_vit.ts";
import type { Random } from "../random.ts";
import { disposeWeights, type Weights } from "../tensor/weights.ts";
import { badTeacher, type BadTeacherSettings } from "./methods/bad_teacher.ts";
import { type JitSettings, justInTime } from "./methods/jit.ts";
import type { Backbone } from "./logit_gradient.ts";
import { type PguSettings, projectedGradient } from "./methods/pgu.ts";
import { scrub, type ScrubSettings } from "./methods/scrub.ts";
import { dampen, importances, type SsdSettings } from "./methods/ssd.ts";
import { IMPORTANCE_BATCH, type TrainingStatistics } from "./training_statistics.ts";

/** What each method that the paper compares MetaUnlearn with is set by. */
export interface BaselineSettings {
  readonly ssd: SsdSettings;
  readonly pgu: PguSettings;
  readonly jit: JitSettings;
  readonly scrub: ScrubSettings;
  readonly "bad-teacher": BadTeacherSettings;
}

/** A method that the paper compares MetaUnlearn with. */
export type Baseline = keyof BaselineSettings;

/** Every {@link Baseline}. */
export const BASELINES = ["ssd", "pgu", "jit", "scrub", "bad-teacher"] as const;

/** Those that need the training images when they unlearn; the others, requests and statistics alone. */
export const NEED_TRAINING_IMAGES: readonly Baseline[] = ["scrub", "bad-teacher"];

/** Those that need {@link TrainingStatistics}. */
export const NEED_STATISTICS: readonly Baseline[] = ["ssd", "pgu"];

/** Images of a request, as indices of a source. */
export interface RequestImages {
  /** One photograph per person. */
  readonly support: readonly number[];
  /** Training images of these people and of all others, for methods that need them. */
  readonly forget: readonly number[];
  readonly retain: readonly number[];
}

/** The model that unlearns, and where its images come from. */
export interface UnlearningContext extends Backbone {
  readonly theta: Weights;
  readonly task: Task;
  readonly source: ImageFeed;
  /** SSD and PGU only. */
  readonly statistics?: TrainingStatistics;
  readonly random: Random;
  /** SCRUB and Bad Teacher only: called with the images of each step. */
  readonly onImages?: (images: number) => void;
}

/**
 * Runs one of the paper's methods.
 *
 * @returns theta_u; the caller disposes it
 * @throws TypeError SSD or PGU without statistics
 */
export async function runBaseline<Method extends Baseline>(
  method: Method,
  settings: BaselineSettings[Method],
  context: UnlearningContext,
  request: RequestImages,
): Promise<Weights> {
  return await (RUN[method] as Runner<Method>)(context, request, settings);
}

type Runner<Method extends Baseline> = (
  context: UnlearningContext,
  request: RequestImages,
  settings: BaselineSettings[Method],
) => Promise<Weights>;

const RUN: { readonly [Method in Baseline]: Runner<Method> } = {
  async ssd({ theta, task, source, statistics, ...backbone }, { support }, settings) {
    const training = present(statistics?.importances);
    const own = await importances(theta, backbone, task, source, support, IMPORTANCE_BATCH);
    const after = dampen(theta, training, own, settings);
    disposeWeights(own);
    return after;
  },
  async pgu({ theta, task, source, statistics, ...backbone }, { support }, settings) {
    const training = present(statistics?.covariances);
    return (await projectedGradient(theta, backbone, task, source, support, training, settings))
      .theta;
  },
  async jit({ theta, source, random, ...backbone }, { support }, { learningRate, noise, draws }) {
    const { patches, targets } = await source.batch(support);
    function* noises() {
      for (let draw = 0; draw < draws; draw++) {
        const values = Float32Array.from({ length: patches.size }, () => noise * random.normal());
        const tensor = tf.tensor(values, patches.shape);
        yield tensor;
        tensor.dispose();
      }
    }
    const { theta: after } = await justInTime(theta, backbone, patches, noises(), learningRate);
    tf.dispose([patches, targets]);
    return after;
  },
  scrub({ theta, random, ...context }, { forget, retain }, settings) {
    return scrub({ teacher: theta, ...context }, forget, retain, settings, random);
  },
  async "bad-teacher"({ theta, random, ...context }, { forget, retain }, settings) {
    const labels = theta["head.bias"].size;
    const incompetent = initialVit(context.shape, labels, random.fork("incompetent teacher"));
    const data = { competent: theta, incompetent, ...context };
    const after = await badTeacher(data, forget, retain, settings, random);
    disposeWeights(incompetent);
    return after;
  },
};

function present(statistics: Weights | undefined): Weights {
  if (statistics) return statistics;
  throw new TypeError("SSD and PGU need their statistics of the training images");
}
