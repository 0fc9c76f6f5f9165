import { range } from "../../data/loader/image_source.ts";
import type { Model } from "../../model/checkpoint.ts";
import { downloadWeights } from "../../model/device_weights.ts";
import { identityHash, type IdentityKey, keyFingerprint } from "../../model/kit/identity_key.ts";
import type { Kit } from "../../model/kit/kit.ts";
import { writeKit } from "../../model/kit/write_kit.ts";
import type { StepRange } from "../../model/kit/kit_manifest.ts";
import { trainingImageHash } from "../../model/kit/training_images.ts";
import { disposeWeights } from "../../tensor/weights.ts";
import type { MetaParameters } from "../../unlearn/meta_unlearn/meta_learn.ts";
import { withRows } from "../../unlearn/unlearn.ts";
import type { KitForMethods } from "./kit_for_methods.ts";
import { type KitMemory, sealMemory } from "../memory/kit_memory.ts";
import type { MetaLearnSettings } from "./settings.ts";

/** What meta-learning leaves for the kit. */
export interface Learned {
  readonly model: Model;
  /** Stays the caller's. */
  readonly parameters: MetaParameters;
  readonly settings: MetaLearnSettings;
  readonly forMethods: KitForMethods;
  /** People by embedding row. */
  readonly identities: readonly string[];
  /** SHA-256 of every image that was learned from. */
  readonly imageHashes: Iterable<string>;
  /** How far simulated requests' steps went, by method; without those of which one went astray. */
  readonly stepRanges: Readonly<Record<string, StepRange>>;
  /** What the kit is to remember of each person; absent for nothing. */
  readonly memory?: KitMemory;
  /** How it was learned; for the record. */
  readonly record: Kit["manifest"]["record"];
}

/**
 * Writes the kit of generation 0: people and images by keyed hash only, rows in the order of the
 * hashes, since the order of names would tell whoever knows the names which row is whose.
 *
 * @throws LetheError `out` exists or cannot be written
 */
export async function writeLearnedKit(
  out: string,
  key: IdentityKey,
  { model, parameters, settings, forMethods, identities, imageHashes, stepRanges, memory, record }:
    Learned,
): Promise<void> {
  const { methods, statistics, trials } = forMethods;
  const { metaLearningRate, requestSize, inputs, hidden, embeddingSize } = settings;
  const { phi, logStepSizes } = parameters;
  const hashes = identities.map((identity) => identityHash(key, identity));
  const order = range(hashes.length).sort((a, b) => hashes[a] < hashes[b] ? -1 : 1);
  const ordered = withRows(phi, order);
  const images = Array.from(imageHashes, (hash) => trainingImageHash(key, hash)).sort();
  await writeKit(out, {
    model,
    phi: await downloadWeights(ordered),
    trainingImages: images.filter((hash, i) => hash !== images[i - 1]),
    ...(logStepSizes ? { logStepSizes: await downloadWeights(logStepSizes) } : {}),
    ...(statistics ? { statistics: statistics.files } : {}),
    ...(memory ? { memory: await sealMemory(memory, identities, key) } : {}),
    manifest: {
      generation: 0,
      parent: null,
      keyFingerprint: keyFingerprint(key),
      unlearning: {
        ...{ metaLearningRate, requestSize, inputs },
        stepSizes: logStepSizes ? "learned" : "global",
      },
      methods,
      ...(statistics ? { statistics: statistics.record } : {}),
      ...(Object.keys(stepRanges).length > 0 ? { stepRanges } : {}),
      metaLoss: { hidden, embeddingSize },
      identities: order.map((row) => hashes[row]),
      forgotten: [],
      record: { ...record, ...(Object.keys(trials).length === 0 ? {} : { trials }) },
    },
  });
  disposeWeights(ordered);
}
