import type { ImageFeed } from "../data/loader/image_source.ts";
import { LetheError } from "../error.ts";
import { JsonFields, OBJECT } from "../files/json_fields.ts";
import { uploadWeights } from "../model/device_weights.ts";
import type { StoredKit } from "../model/kit/kit.ts";
import { type KitStatistics, STATISTICS_FILES } from "../model/kit/kit_statistics.ts";
import { MEMORY_INDEX } from "../model/kit/memory_index.ts";
import type { MemoryRow } from "../model/kit/memory_row.ts";
import { Random } from "../random.ts";
import type { Weights } from "../tensor/weights.ts";
import {
  type MethodName,
  methodOf,
  type MethodSettings,
  parseMethodSettings,
  publishedSettings,
} from "./methods.ts";
import type { Method, Need } from "./methods/method.ts";
import { disposeStatistics, type TrainingStatistics } from "./training_statistics.ts";

/** Which method unlearns, and how. */
export interface MethodChoice {
  /** How to unlearn. */
  readonly method: MethodName;
  /** Of JiT's noise; the other methods draw nothing. */
  readonly seed: number;
  /** Settings of the method by name, in place of the kit's. */
  readonly set: MethodSettings;
}

/** What {@link unlearnFromKit} gives. */
export interface UnlearnedFromKit {
  /** theta_u, the caller's. */
  readonly theta: Weights;
  /** MetaUnlearn takes people in chunks of N_S; the other methods all at once. */
  readonly steps: readonly { readonly people: number; readonly metaLoss?: number }[];
  /** Every setting of the method as it was used. */
  readonly settings: MethodSettings;
  /** The method used statistics from before an earlier request. */
  readonly staleStatistics: boolean;
}

/**
 * Unlearns by any of the methods that need no training image.
 *
 * @param theta the kit's model on the device; stays the caller's
 * @param source image i is a photograph of the person of `rows[i]`; who gave several weighs as one
 * @param memory what the kit remembers of each of these people, for methods that need it
 * @throws LetheError the kit was made without what the method needs
 */
export async function unlearnFromKit(
  kit: StoredKit,
  theta: Weights,
  source: ImageFeed,
  rows: readonly number[],
  { method: name, seed, set }: MethodChoice,
  microBatch: number,
  memory?: readonly MemoryRow[],
): Promise<UnlearnedFromKit> {
  checkMethod(kit, name);
  const { config } = kit.model;
  const method = methodOf(name);
  const people = new Set(rows).size;
  const settings = { ...ownSettings(kit, method, people), ...set };
  const statistics = uploadNeeded(kit, method);
  const { theta: after, steps } = await method.run(
    {
      theta,
      shape: config,
      microBatch,
      task: config.task,
      source,
      statistics,
      kit: { stored: kit, rows },
      ...(memory ? { memory } : {}),
      random: new Random(seed, name),
    },
    {
      support: rows.map((_, i) => i),
      ...(people < rows.length ? { people: rows } : {}),
      forget: [],
      retain: [],
    },
    settings,
  );
  disposeStatistics(statistics);
  const used = Object.keys(statistics).length > 0;
  return {
    theta: after,
    steps: steps ?? [{ people }],
    settings: name === "metaunlearn"
      ? { metaLearningRate: kit.manifest.unlearning.metaLearningRate }
      : settings,
    staleStatistics: used && kit.manifest.statistics!.stale,
  };
}

/** The kit's own settings; CelebA's published ones where it brings none. */
function ownSettings({ manifest }: StoredKit, method: Method, people: number): MethodSettings {
  if (method.published.length === 0) return {};
  const own = manifest.methods?.[method.name];
  if (!OBJECT.accepts(own)) return publishedSettings(method, "celeba", people);
  const fields = new JsonFields(own, `kit.json: methods: ${method.name}`, "make the kit again");
  return parseMethodSettings(method, fields, "all");
}

const STATISTICS = ["importances", "covariances"] as const satisfies readonly Need[];

/** The statistics that a method reads; others need not be loaded. */
export function statisticsNeeded(method: MethodName): (keyof KitStatistics)[] {
  const { needs } = methodOf(method);
  return STATISTICS.filter((name) => needs.includes(name));
}

/**
 * Refuses a method that the kit cannot serve, before anything is computed.
 *
 * @throws {LetheError} the kit was made without the method's statistics
 */
export function checkMethod({ manifest }: Pick<StoredKit, "manifest">, method: MethodName): void {
  const files = manifest.files.map(({ file }) => file);
  if (methodOf(method).needs.includes("memory") && !files.includes(MEMORY_INDEX)) {
    throw new LetheError(
      `--method ${method} with a kit that remembers nobody`,
      "what the model memorised of each person is written down while there is a data set",
      "make the kit with deno task meta-learn --memory full, or use another method",
    );
  }
  const missing = statisticsNeeded(method).find((name) => !files.includes(STATISTICS_FILES[name]));
  if (missing === undefined) return;
  throw new LetheError(
    `--method ${method} with a kit without ${missing}`,
    `it needs the training images' ${missing}, which are computed while there is a data set`,
    "make the kit with deno task meta-learn --statistics all, or use another method",
  );
}

/** Uploads the statistics that a method needs; {@link checkMethod} has found them there. */
function uploadNeeded({ statistics }: StoredKit, { needs }: Method): TrainingStatistics {
  return Object.fromEntries(
    STATISTICS.filter((name) => needs.includes(name))
      .map((name) => [name, uploadWeights(statistics![name]!)]),
  );
}
