import {
  BOOLEAN,
  HASH,
  integer,
  JsonFields,
  type Kind,
  line,
  list,
  nullable,
  OBJECT,
  oneOf,
  parseJsonObject,
  real,
  shown,
} from "../../files/json_fields.ts";
import { type KitMethodSettings, parseKitMethods } from "./method_settings.ts";
import type { StatisticsRecord } from "./kit_statistics.ts";
import { dependsOnTheta, META_LOSS_INPUTS, type MetaLossInput } from "../meta_loss_inputs.ts";

/** `kit.json`: what a kit holds, where it comes from and how it is used. */
export interface KitManifest {
  readonly version: 1;
  /** 0 as meta-learned; one more after each request. */
  readonly generation: number;
  /** SHA-256 of the kit.json that this kit was made from by a request; null as meta-learned. */
  readonly parent: string | null;
  readonly files: readonly KitFile[];
  readonly unlearning: KitUnlearning;
  /** How SSD, PGU and JiT unlearn unless told otherwise; absent in kits made before there were any. */
  readonly methods?: KitMethodSettings;
  /** Of SSD's and PGU's statistics; absent in kits without. */
  readonly statistics?: StatisticsRecord;
  /** Sizes of the meta-loss (Table 8b). */
  readonly metaLoss: { readonly hidden: number; readonly embeddingSize: number };
  /** Keyed hash of each person that the kit can forget; the position is the embedding row. */
  readonly identities: readonly string[];
  /** Keyed hashes of the people that earlier requests forgot. */
  readonly forgotten: readonly string[];
  /** How phi was learned: every hyperparameter, the seed, the adapter. For the record only. */
  readonly record: Readonly<Record<string, unknown>>;
}

/** A file of the kit. */
export interface KitFile {
  readonly file: string;
  readonly sha256: string;
  /** What it was computed from, in words. */
  readonly derivedFrom: string;
}

/** How a kit unlearns. */
export interface KitUnlearning {
  /** eta. */
  readonly metaLearningRate: number;
  /** N_S: people per step. */
  readonly requestSize: number;
  /** The meta-loss's inputs (Table 6). */
  readonly inputs: readonly MetaLossInput[];
  readonly stepSizes: "global" | "learned";
}

const COUNT = integer(0, Number.MAX_SAFE_INTEGER);
const WIDTH = integer(1, 65_536);
/** Plain names only: a kit's files lie in the kit. */
const FILE_NAME: Kind<string> = {
  rule: "a plain name that ends in .json, .txt or .safetensors",
  accepts: (value): value is string =>
    typeof value === "string" && /^[a-z0-9_]{1,64}\.(json|txt|safetensors)$/.test(value),
};

/**
 * Reads `kit.json` as hostile input.
 *
 * @param file its name, for errors
 * @throws {LetheError} the field that is wrong
 */
export function parseKitManifest(text: string, file: string): KitManifest {
  const remedy = "use an intact kit";
  const fields = new JsonFields(parseJsonObject(text, file, remedy), file, remedy);
  const hashes = list(HASH, 0, 10_000_000, { distinct: true });
  const version = fields.read("version", integer(1, 1)) as 1;
  const files = fields.read("files", list(OBJECT, 1, 64)).map((entry, i): KitFile => {
    const of = new JsonFields(entry, `${file}: files[${i}]`, remedy);
    const result = {
      file: of.read("file", FILE_NAME),
      sha256: of.read("sha256", HASH),
      derivedFrom: of.read("derivedFrom", line(1000)),
    };
    of.end();
    return result;
  });
  const unlearning = fields.within("unlearning");
  const metaLoss = fields.within("metaLoss");
  const named = fields.optional("methods", OBJECT);
  const methods = named && fields.within("methods");
  const statistics = fields.optional("statistics", OBJECT) && fields.within("statistics");
  const manifest: KitManifest = {
    version,
    generation: fields.read("generation", COUNT),
    parent: fields.read("parent", nullable(HASH)),
    files,
    unlearning: {
      metaLearningRate: unlearning.read("metaLearningRate", real(Number.MIN_VALUE, 1e6)),
      requestSize: unlearning.read("requestSize", integer(1, Number.MAX_SAFE_INTEGER)),
      inputs: unlearning.read(
        "inputs",
        list(oneOf(META_LOSS_INPUTS), 1, META_LOSS_INPUTS.length, { distinct: true }),
      ),
      stepSizes: unlearning.read("stepSizes", oneOf(["global", "learned"])),
    },
    ...(methods ? { methods: parseKitMethods(methods, Object.keys(named)) } : {}),
    ...(statistics
      ? {
        statistics: {
          images: statistics.read("images", COUNT),
          batchSize: statistics.read("batchSize", integer(1, Number.MAX_SAFE_INTEGER)),
          stale: statistics.read("stale", BOOLEAN),
        },
      }
      : {}),
    metaLoss: {
      hidden: metaLoss.read("hidden", WIDTH),
      embeddingSize: metaLoss.read("embeddingSize", WIDTH),
    },
    identities: fields.read("identities", hashes),
    forgotten: fields.read("forgotten", hashes),
    record: fields.read("record", OBJECT),
  };
  for (const each of [unlearning, methods, statistics, metaLoss, fields]) each?.end();
  const { inputs } = manifest.unlearning;
  if (!dependsOnTheta(inputs)) {
    unlearning.refuse(
      `inputs is ${shown(inputs)}`,
      "without logits and features no request would change the model",
    );
  }
  const twice = files.find(({ file }, i) => files.findIndex((other) => other.file === file) !== i);
  if (twice) fields.refuse(`files names ${twice.file} twice`, "a file has one hash");
  const { generation, parent, forgotten } = manifest;
  if ((generation === 0) !== (parent === null)) {
    fields.refuse(
      `generation is ${generation} and parent is ${shown(parent)}`,
      "a kit that went through requests, and no other, has a parent",
    );
  }
  if (manifest.statistics && manifest.statistics.stale !== generation > 0) {
    fields.refuse(
      `generation is ${generation} and statistics.stale is ${manifest.statistics.stale}`,
      "statistics are of the model as trained: after a request, and not before, they are stale",
    );
  }
  const known = new Set(manifest.identities);
  const still = forgotten.find((hash) => known.has(hash));
  if (still) fields.refuse(`${still} is in identities and forgotten`, "a person is in one of them");
  return manifest;
}
