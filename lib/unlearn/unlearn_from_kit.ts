import type { ImageFeed } from "../data/loader/image_source.ts";
import { LetheError } from "../error.ts";
import { uploadWeights } from "../model/device_weights.ts";
import type { StoredKit } from "../model/kit/kit.ts";
import type { KitBaseline, KitMethod } from "../model/kit/method_settings.ts";
import { Random } from "../random.ts";
import { disposeWeights, type Weights } from "../tensor/weights.ts";
import { publishedSettings } from "./method_recipes.ts";
import { type BaselineSettings, runBaseline } from "./methods.ts";
import { disposeStatistics, type TrainingStatistics } from "./training_statistics.ts";
import { unlearn } from "./unlearn.ts";

/** Which method unlearns, and how. */
export interface MethodChoice {
  readonly method: KitMethod;
  /** Of JiT's noise; the other methods draw nothing. */
  readonly seed: number;
  /** Settings of the method by name, in place of the kit's. */
  readonly set: Readonly<Record<string, number>>;
}

/** What {@link unlearnFromKit} gives. */
export interface UnlearnedFromKit {
  /** theta_u, the caller's. */
  readonly theta: Weights;
  /** MetaUnlearn takes people in chunks of N_S; the other methods all at once. */
  readonly steps: readonly { readonly people: number; readonly metaLoss?: number }[];
  /** Every setting of the method as it was used. */
  readonly settings: Readonly<Record<string, number>>;
  /** The method used statistics from before an earlier request. */
  readonly staleStatistics: boolean;
}

/**
 * Unlearns by any of the methods that need no training image: MetaUnlearn, SSD, PGU, JiT.
 *
 * @param theta the kit's model on the device; stays the caller's
 * @param source image i is the support photograph of the person of `rows[i]`
 * @throws LetheError SSD or PGU, and the kit was made without their statistics
 */
export async function unlearnFromKit(
  kit: StoredKit,
  theta: Weights,
  source: ImageFeed,
  rows: readonly number[],
  { method, seed, set }: MethodChoice,
  microBatch: number,
): Promise<UnlearnedFromKit> {
  checkMethod(kit, method);
  const { config } = kit.model;
  if (method !== "metaunlearn") {
    const settings = { ...defaults(kit, method, rows.length), ...set };
    const statistics = uploadNeeded(kit, method);
    const after = await runBaseline(
      method,
      settings as BaselineSettings[typeof method],
      {
        theta,
        shape: config,
        microBatch,
        task: config.task,
        source,
        statistics,
        random: new Random(seed, method),
      },
      { support: rows.map((_, i) => i), forget: [], retain: [] },
    );
    disposeStatistics(statistics);
    const used = Object.keys(statistics).length > 0;
    return {
      theta: after,
      steps: [{ people: rows.length }],
      settings,
      staleStatistics: used && kit.manifest.statistics!.stale,
    };
  }
  const phi = uploadWeights(kit.phi);
  const logStepSizes = kit.logStepSizes && uploadWeights(kit.logStepSizes);
  const { metaLearningRate, inputs, requestSize } = kit.manifest.unlearning;
  const result = await unlearn(
    theta,
    logStepSizes ? { phi, logStepSizes } : { phi },
    { metaLearningRate, inputs, shape: config, microBatch },
    source,
    rows,
    requestSize,
  );
  for (const weights of [phi, logStepSizes]) disposeWeights(weights);
  return { ...result, settings: { metaLearningRate }, staleStatistics: false };
}

/** The kit's own settings; CelebA's published ones where it brings none. */
function defaults({ manifest }: StoredKit, method: KitBaseline, people: number) {
  return manifest.methods?.[method] ?? publishedSettings(method, "celeba", people);
}

/** What each method needs of a kit's statistics. */
const STATISTIC_OF = { ssd: "importances", pgu: "covariances", jit: null } as const;

/**
 * Refuses a method that the kit cannot serve, before anything is computed.
 *
 * @throws {LetheError} SSD or PGU, and the kit was made without their statistics
 */
export function checkMethod({ statistics }: StoredKit, method: KitMethod): void {
  const name = method === "metaunlearn" ? null : STATISTIC_OF[method];
  if (name === null || statistics?.[name]) return;
  throw new LetheError(
    `--method ${method} with a kit without ${name}`,
    `it needs the training images' ${name}, which are computed while there is a data set`,
    "make the kit with deno task meta-learn --statistics all, or use another method",
  );
}

/** Uploads the statistics that a method needs; {@link checkMethod} has found them there. */
function uploadNeeded({ statistics }: StoredKit, method: KitBaseline): TrainingStatistics {
  const name = STATISTIC_OF[method];
  return name === null ? {} : { [name]: uploadWeights(statistics![name]!) };
}
