import type { ImageFeed } from "../data/loader/image_source.ts";
import { JsonFields } from "../files/json_fields.ts";
import { OBJECT } from "../files/json_kinds.ts";
import { uploadWeights } from "../model/device_weights.ts";
import type { StoredKit } from "../model/kit/kit.ts";
import type { MemoryRow } from "../model/kit/memory_row.ts";
import { Random } from "../random.ts";
import type { Weights } from "../tensor/weights.ts";
import { checkMethod, STATISTICS } from "./check_method.ts";
import {
  type MethodName,
  methodOf,
  type MethodSettings,
  parseMethodSettings,
  publishedSettings,
} from "./methods.ts";
import type { Method } from "./methods/method.ts";
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
  checkMethod(kit.manifest, name);
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

/** Uploads the statistics that a method needs; {@link checkMethod} has found them there. */
function uploadNeeded({ statistics }: StoredKit, { needs }: Method): TrainingStatistics {
  return Object.fromEntries(
    STATISTICS.filter((name) => needs.includes(name))
      .map((name) => [name, uploadWeights(statistics![name]!)]),
  );
}
