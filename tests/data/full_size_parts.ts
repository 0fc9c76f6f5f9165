import { samplesOf } from "../../lib/data/split.ts";
import { joinedSamples } from "../../lib/data/packed_samples.ts";
import { membershipAttack } from "../../lib/measure/membership.ts";
import { forgettingVerdict } from "../../lib/measure/verdict.ts";
import { readModel } from "../../lib/model/checkpoint.ts";
import { newIdentityKey, writeIdentityKey } from "../../lib/model/kit/identity_key.ts";
import { initialMetaLoss } from "../../lib/model/meta_loss.ts";
import { Random } from "../../lib/random.ts";
import { PUBLISHED_META_LEARNING } from "../../lib/run/meta_learning/settings.ts";
import { writeLearnedKit } from "../../lib/run/meta_learning/write_learned_kit.ts";
import { peopleOf } from "../../lib/run/memory/people_of.ts";
import { hashOf, openSplit } from "../../lib/run/split_data.ts";
import { openDevice } from "../../lib/tensor/device.ts";

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
    imageHashes: joinedSamples([train, val]).map((sample) => hashOf(data, sample)),
    stepRanges: {},
    record: {
      ...{ settings, seed: 0, microBatch: 64, split: data.sha256, history: [] },
      ...{ device: device.adapter, precision: device.precision },
    },
  });
}

/** RMIA and the verdict on drawn losses: 20 people of 20 images each against so many test images. */
function attack(testImages: number) {
  const random = new Random(0, "rmia at full size");
  const images = (count: number, people: number, shift: number) => ({
    identities: Array.from({ length: count }, (_, i) => `${shift} ${i % people}`),
    target: Float64Array.from({ length: count }, () => Math.abs(random.normal() + 1 + shift / 10)),
    reference: Float64Array.from({ length: count }, () => Math.abs(random.normal() + 1)),
  });
  const people = Math.ceil(testImages / 20);
  const [members, others, z] = [
    images(400, 20, -3),
    images(testImages, people, 0),
    images(testImages, people, 1),
  ];
  const { auc, aucInterval, tpr, tprInterval, roc } = membershipAttack(members, others, z, {
    random: random.fork("attack"),
  });
  const compared = ({ identities, target, reference }: typeof members) => ({
    ...{ identities, unlearned: target, retrained: reference },
  });
  const verdict = forgettingVerdict(compared(members), compared(others), {
    random: random.fork("verdict"),
    draws: 1000,
  });
  console.log(JSON.stringify({ auc, aucInterval, tpr, tprInterval, points: roc.length, verdict }));
}

// What `measure_full_size.ts` starts as a process of its own:
//   deno run -A tests/data/full_size_parts.ts open SPLIT DATA | kit MODEL SPLIT DATA OUT | rmia IMAGES
if (import.meta.main) {
  const [part, ...values] = Deno.args;
  if (part === "open") await openSplit(values[0], values[1]);
  else if (part === "kit") await writeKit(values[0], values[1], values[2], values[3]);
  else attack(Number(values[0]));
}
