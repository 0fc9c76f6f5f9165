import { samplesOf } from "../../../lib/data/split.ts";
import { joinedSamples } from "../../../lib/data/packed_samples.ts";
import { readModel } from "../../../lib/model/checkpoint.ts";
import { newIdentityKey, writeIdentityKey } from "../../../lib/model/kit/identity_key.ts";
import { initialMetaLoss } from "../../../lib/model/meta_loss/meta_loss.ts";
import { Random } from "../../../lib/random.ts";
import { PUBLISHED_META_LEARNING } from "../../../lib/run/meta_learning/settings.ts";
import { writeLearnedKit } from "../../../lib/run/meta_learning/write_learned_kit.ts";
import { peopleOf } from "../../../lib/run/memory/people_of.ts";
import { hashesOf, openSplit } from "../../../lib/run/split_data.ts";
import { openDevice } from "../../../lib/tensor/device.ts";

/** A kit of a split's people and images whose meta-loss has learned nothing: its size is what counts. */
async function writeKit(model: string, splitPath: string, root: string, out: string) {
  const device = await openDevice("wasm");
  const data = await openSplit(splitPath, root);
  const trained = await readModel(model);
  const parts = ["train", "val"] as const;
  const [train, val] = parts.map((part) => samplesOf(data.split, data.dataset, part));
  const { identities } = peopleOf(train, 0);
  const settings = { ...PUBLISHED_META_LEARNING, requestSize: 2, hidden: 64 };
  const { inputs, embeddingSize, hidden } = settings;
  const { dim, labels: { length: labels } } = trained.config;
  const sizes = { inputs, labels, dim, identities: identities.length, embeddingSize, hidden };
  const key = newIdentityKey();
  await writeIdentityKey(`${out}.identity-key`, key);
  await writeLearnedKit(out, key, {
    model: trained,
    parameters: { phi: initialMetaLoss(sizes, new Random(0, "full size")) },
    settings,
    forMethods: { methods: { source: "none" }, statistics: null, trials: {}, stepRanges: {} },
    identities,
    imageHashes: hashesOf(data, joinedSamples([train, val])),
    stepRanges: {},
    record: {
      ...{ settings, seed: 0, microBatch: 64, split: data.sha256, history: [] },
      ...{ device: device.adapter, precision: device.precision },
    },
  });
}

// deno run -A --unstable-raw-imports tests/data/full_size/write_kit.ts MODEL SPLIT DATA OUT
if (import.meta.main) {
  const [model, split, root, out] = Deno.args;
  await writeKit(model, split, root, out);
}
