import { LetheError } from "../error.ts";
import { Random } from "../random.ts";
import { openDataset } from "./open_dataset.ts";
import { repeatedRows } from "./duplicates.ts";
import { packHashes } from "./file_hashes.ts";
import { columnsOf } from "./packed_samples.ts";
import type { Dataset, DatasetName, Samples, Task } from "./sample.ts";

/** Who is in which part, as `split.json` holds it. */
export interface Split {
  /** Of this form. */
  readonly version: 1;
  /** Which data set it is of. */
  readonly dataset: {
    readonly name: DatasetName;
    readonly task: Task;
    readonly labels: readonly string[];
  };
  /** Of all that is drawn. */
  readonly seed: number;
  /** Number of people to forget. */
  readonly forgetCount: number;
  /** Every person of the data set, in exactly one part. */
  readonly identities: Readonly<Record<IdentityPart, readonly string[]>>;
  /** The support image of each person to forget: by identity, a file of the data set. */
  readonly support: Readonly<Record<string, string>>;
  /** SHA-256 of every image of the data set, by file. */
  readonly hashes: Readonly<Record<string, string>>;
}

/** The parts that share the people out. */
export const IDENTITY_PARTS = ["retain", "forget", "val", "test"] as const;
/** One of {@link IDENTITY_PARTS}. */
export type IdentityPart = typeof IDENTITY_PARTS[number];
/**
 * What samples can be asked for: a part without support images, `train` (retain and forget
 * together: what the model learns from), or `support`.
 */
export type SplitPart = IdentityPart | "train" | "support";

/** Share of the images that is set aside for validation and test, half each. */
const SET_ASIDE = 0.4;

/**
 * Splits a data set by identity (Sec. 3.3; shares of the released code). Identities are shuffled;
 * the first ones, up to 40 % of the images, are set aside and halved by images into val and test;
 * the others are for training. Among those with at least 2 images (6 when one person is to be
 * forgotten, so that a forget set is left), `forget` are drawn, and one support image of each: none that
 * the data set has a second time, whose other copy would stay in a part.
 *
 * @param dataset what is split
 * @param options `forget`: number of people to forget, at least 1; `seed`; `hashes`: SHA-256 of
 *   every image by file
 * @throws {LetheError} when there are too few people for the parts or for `forget`
 */
export function makeSplit(
  dataset: Dataset,
  { forget, seed, hashes }: {
    forget: number;
    seed: number;
    hashes: Readonly<Record<string, string>>;
  },
): Split {
  const packed = packHashes(dataset.samples, hashes);
  return { ...drawSplit(dataset, { forget, seed, hashes: packed }), hashes };
}

/** {@link makeSplit} without an object of hashes. @param options `hashes`: of each sample, 32 bytes */
export function drawSplit(
  dataset: Dataset,
  { forget, seed, hashes }: { forget: number; seed: number; hashes: Uint8Array },
): Omit<Split, "hashes"> {
  const random = new Random(seed, "split");
  const { task, labels, samples } = dataset;
  const { owners, people } = columnsOf(samples, task, labels.length);
  const repeated = new Set(repeatedRows(hashes).flat());
  const [counts, single] = [new Uint32Array(people.length), new Uint32Array(people.length)];
  owners.forEach((owner, row) => {
    counts[owner]++;
    if (!repeated.has(row)) single[owner]++;
  });
  const places = new Map(people.map((identity, place) => [identity, place]));
  const images = (identity: string) => counts[places.get(identity)!];
  const shuffled = random.shuffle(people.filter((_, place) => counts[place] > 0).sort());
  const aside = leading(shuffled, images, SET_ASIDE * samples.length);
  const asideImages = aside.reduce((sum, identity) => sum + images(identity), 0);
  const val = aside.slice(0, Math.max(1, leading(aside, images, asideImages / 2).length));
  const test = aside.slice(val.length);
  const train = shuffled.slice(aside.length);
  if (test.length === 0) {
    throw new LetheError(
      `${dataset.root} shows ${shuffled.length} people in ${samples.length} images`,
      "training, validation and test need people of their own (40 % of the images for the latter)",
      "use a data set with more people, or none that holds so large a share of the images",
    );
  }
  const candidates = train.filter((identity) => single[places.get(identity)!] > 0);
  const chosen = chooseForget(train, candidates, images, forget, random);
  const files = new Map(chosen.map((identity): [string, string[]] => [identity, []]));
  owners.forEach((owner, row) => {
    if (!repeated.has(row)) files.get(people[owner])?.push(samples.at(row)!.file);
  });
  const support = chosen.map((identity) => {
    const own = files.get(identity)!.sort();
    return [identity, own[random.integer(own.length)]];
  });
  return {
    version: 1,
    dataset: { name: dataset.name, task, labels },
    seed,
    forgetCount: forget,
    identities: {
      retain: train.filter((identity) => !files.has(identity)),
      forget: chosen,
      val,
      test,
    },
    support: Object.fromEntries(support),
  };
}

function chooseForget(
  train: readonly string[],
  candidates: readonly string[],
  images: (identity: string) => number,
  forget: number,
  random: Random,
): string[] {
  const least = forget === 1 ? 6 : 2;
  const eligible = candidates.filter((identity) => images(identity) >= least);
  const most = Math.min(eligible.length, train.length - 1);
  if (Number.isSafeInteger(forget) && forget >= 1 && forget <= most) {
    return random.shuffle(eligible).slice(0, forget);
  }
  throw new LetheError(
    `${forget} people to forget, of ${train.length} in training, ${eligible.length} with at least ` +
      `${least} different images`,
    "one person at least is forgotten and one retained; whoever is forgotten has an image to spare",
    most >= 1 ? `ask for at most ${most}` : "use a data set with more images per person",
  );
}

/** The first identities whose images together do not exceed `limit`. */
function leading(
  identities: readonly string[],
  images: (identity: string) => number,
  limit: number,
): string[] {
  let sum = 0;
  const over = identities.findIndex((identity) => (sum += images(identity)) > limit);
  return identities.slice(0, over < 0 ? identities.length : over);
}

/**
 * The samples of a part, in the data set's order.
 *
 * @param split who is where
 * @param dataset the data set that was split
 * @param part which samples
 */
export function samplesOf(split: Split, dataset: Dataset, part: SplitPart): Samples {
  if (part === "support") return supportSamples(split.support, dataset);
  const support = new Set(Object.values(split.support));
  const parts: IdentityPart[] = part === "train" ? ["retain", "forget"] : [part];
  const identities = new Set(parts.flatMap((name) => split.identities[name]));
  const asked = new Set(Object.keys(split.support));
  // Files are looked at where they can be support images: names of an index are spelt out each time.
  return dataset.samples.filter((sample) => {
    const { identity } = sample;
    return identities.has(identity) && !(asked.has(identity) && support.has(sample.file));
  });
}

/** The support images of a split, or of some of its people. */
export function supportSamples(support: Split["support"], dataset: Dataset): Samples {
  const files = new Set(Object.values(support));
  return dataset.samples.filter(({ file }) => files.has(file));
}

/**
 * Opens the data set that a split was made of, with the split's labels.
 *
 * @param split from {@link makeSplit} or a file
 * @param root where the data set lies now
 * @throws {LetheError} when it is not the data set that was split: other labels, images or people
 */
export async function openSplitDataset(split: Split, root: string): Promise<Dataset> {
  const { name, task, labels } = split.dataset;
  const dataset = withoutLaterFormats(
    split,
    await openDataset(name, root, task === "classes" ? {} : { attributes: labels }),
  );
  if (dataset.task !== task || dataset.labels.join("\n") !== labels.join("\n")) {
    throw otherDataset(`${dataset.root} has other classes than the split`);
  }
  const people = new Set(IDENTITY_PARTS.flatMap((part) => split.identities[part]));
  for (const { file, identity } of dataset.samples) {
    if (!Object.hasOwn(split.hashes, file)) {
      throw otherDataset(`${dataset.root} holds ${file}, which the split does not know`);
    }
    if (!people.has(identity)) {
      throw otherDataset(`${dataset.root} shows ${identity}, whom the split does not know`);
    }
  }
  const known = Object.keys(split.hashes);
  if (known.length > dataset.samples.length) {
    const present = new Set(dataset.samples.map(({ file }) => file));
    const gone = known.find((file) => !present.has(file));
    throw otherDataset(`${dataset.root} lacks ${gone}, which was split`);
  }
  return dataset;
}

/** A split from before WebP was read knows nothing of such images, which were left out then. */
function withoutLaterFormats({ hashes }: Split, dataset: Dataset): Dataset {
  const samples = dataset.samples.filter(({ file }) =>
    Object.hasOwn(hashes, file) || !/\.webp$/i.test(file)
  );
  if (samples.length === dataset.samples.length) return dataset;
  return { ...dataset, samples, absent: dataset.absent + dataset.samples.length - samples.length };
}

function otherDataset(value: string): LetheError {
  return new LetheError(
    value,
    "a split belongs to one state of one data set",
    "name the data set that was split, or make a new split",
  );
}
