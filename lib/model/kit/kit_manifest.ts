import { JsonFields, parseJsonObject, shown } from "../../files/json_fields.ts";
import * as is from "../../files/json_kinds.ts";
import type { Kind } from "../../files/json_kinds.ts";
import { LetheError } from "../../error.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { kitPart } from "./kit_parts.ts";
import { type KitMethodSettings, METHOD_NAME, parseKitMethods } from "./method_settings.ts";
import { inOrder, KIT_RECORD, misfit } from "./record_schema.ts";
import type { StatisticsRecord } from "./kit_statistics.ts";
import {
  dependsOnTheta,
  META_LOSS_INPUTS,
  type MetaLossInput,
} from "../meta_loss/meta_loss_inputs.ts";

/** `kit.json`: what a kit holds, where it comes from and how it is used. */
export interface KitManifest {
  /** 1: of before kits had an id of their own; 2: as this version writes. */
  readonly version: 1 | 2;
  /** 0 as meta-learned; one more after each request. */
  readonly generation: number;
  /** Id of the kit that this kit was made from by a request; null as meta-learned. */
  readonly parent: string | null;
  /**
   * Which identity key its hashes were made with (`keyFingerprint`); absent in kits made before it
   * was kept.
   */
  readonly keyFingerprint?: string;
  /** How many there are. */
  readonly files: readonly KitFile[];
  /** How MetaUnlearn steps. */
  readonly unlearning: KitUnlearning;
  /** How SSD, PGU and JiT unlearn unless told otherwise; absent in kits made before there were any. */
  readonly methods?: KitMethodSettings;
  /** Of SSD's and PGU's statistics; absent in kits without. */
  readonly statistics?: StatisticsRecord;
  /** How far a step moves the weights, by method; absent where nobody measured it. */
  readonly stepRanges?: Readonly<Record<string, StepRange>> | undefined;
  /** Sizes of the meta-loss (Table 8b). */
  readonly metaLoss: { readonly hidden: number; readonly embeddingSize: number };
  /** Keyed hash of each person that the kit can forget; the position is the embedding row. */
  readonly identities: readonly string[];
  /** Keyed hashes of the people that earlier requests forgot. */
  readonly forgotten: readonly string[];
  /** How phi was learned: every hyperparameter, the seed, the adapter ({@link KIT_RECORD}). */
  readonly record: Readonly<Record<string, unknown>>;
}

/** How far simulated requests moved the weights: |theta_u - theta| / |theta|, of all tensors together. */
export interface StepRange {
  /** Requests that were simulated. */
  readonly requests: number;
  /** Whether their people were held out of meta-training. */
  readonly heldOut: boolean;
  /** Lower end. */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
}

/** `kit.json` and the kit's id. */
export interface ParsedManifest {
  readonly manifest: KitManifest;
  /**
   * What the kit is known by wherever it lies: SHA-256 of `kit.json` as {@link encodeManifest} writes it,
   * less the line of the id itself (version 2) or whole (version 1).
   */
  readonly id: string;
}

/** A file of the kit. */
export interface KitFile {
  /** Its name, relative. */
  readonly file: string;
  /** Of the content, hex. */
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
  /** One for all tensors, or one each. */
  readonly stepSizes: "global" | "learned";
}

const COUNT = is.integer(0, Number.MAX_SAFE_INTEGER);
const TEXT_LINE = is.line(1000);
const WIDTH = is.integer(1, 65_536);
/** Plain names only: a kit's files lie in the kit. */
const FILE_NAME: Kind<string> = {
  rule: "a plain name that ends in .json, .txt or .safetensors",
  accepts: (value): value is string =>
    typeof value === "string" && /^[a-z0-9_]{1,64}\.(json|txt|safetensors)$/.test(value),
};

/** What `keyFingerprint` gives. */
export const KEY_FINGERPRINT: Kind<string> = {
  rule: "16 lower-case hexadecimal digits",
  accepts: (value): value is string => typeof value === "string" && /^[0-9a-f]{16}$/.test(value),
};

const NEWEST = 2;

/**
 * The one text of a manifest: fields in the order of {@link KitManifest}, two spaces, no others.
 *
 * @returns the text of `kit.json` and the kit's id
 */
export function encodeManifest(manifest: KitManifest): { text: string; id: string } {
  const { version, ...others } = ordered(manifest);
  const encoded = (value: unknown) => JSON.stringify(value, null, 2) + "\n";
  const id = sha256Hex(new TextEncoder().encode(encoded({ version, ...others })));
  return version === 1
    ? { text: encoded({ version, ...others }), id }
    : { text: encoded({ version, id, ...others }), id };
}

/** A manifest's fields in their order; a field that is absent stays so. */
function ordered(manifest: KitManifest): KitManifest {
  const { version, generation, parent, unlearning, methods, statistics, stepRanges } = manifest;
  const { keyFingerprint, metaLoss, identities, forgotten, record, files } = manifest;
  return {
    ...{ version, generation, parent },
    ...(keyFingerprint === undefined ? {} : { keyFingerprint }),
    unlearning,
    ...(methods === undefined ? {} : { methods }),
    ...(statistics === undefined ? {} : { statistics }),
    ...(stepRanges === undefined ? {} : { stepRanges }),
    ...{ metaLoss, identities, forgotten },
    record: inOrder(record, KIT_RECORD) as KitManifest["record"],
    files,
  };
}

/**
 * Reads `kit.json` as hostile input. It has one text only: neither spaces nor fields in another order nor
 * unknown fields can carry anything.
 *
 * @param file its name, for errors
 * @throws {LetheError} the field that is wrong, or it is a newer version's
 */
export function parseKitManifest(text: string, file: string): ParsedManifest {
  const remedy = "use an intact kit";
  const json = parseJsonObject(text, file, remedy);
  const fields = new JsonFields(json, file, remedy);
  const hashes = is.list(is.HASH, 0, 10_000_000, { distinct: true });
  const version = fields.read("version", is.integer(1, Number.MAX_SAFE_INTEGER)) as 1 | 2;
  if (version > NEWEST) {
    throw new LetheError(
      `${file} is of version ${version}`,
      `this Lethe reads kits of versions 1 to ${NEWEST}`,
      "use the Lethe that wrote it, or a newer one",
    );
  }
  const id = version === 1 ? null : fields.read("id", is.HASH);
  const files = fields.read("files", is.list(is.OBJECT, 1, 64)).map((entry, i): KitFile => {
    const of = new JsonFields(entry, `${file}: files[${i}]`, remedy);
    const result = {
      file: of.read("file", FILE_NAME),
      sha256: of.read("sha256", is.HASH),
      derivedFrom: of.read("derivedFrom", TEXT_LINE),
    };
    of.end();
    return result;
  });
  const unlearning = fields.within("unlearning");
  const metaLoss = fields.within("metaLoss");
  const named = fields.optional("methods", is.OBJECT);
  const methods = named && fields.within("methods");
  const statistics = fields.optional("statistics", is.OBJECT) && fields.within("statistics");
  const keyFingerprint = version > 1
    ? fields.optional("keyFingerprint", KEY_FINGERPRINT)
    : undefined;
  const ranged = version > 1 ? fields.optional("stepRanges", is.OBJECT) : undefined;
  const manifest: KitManifest = {
    version,
    generation: fields.read("generation", COUNT),
    parent: fields.read("parent", is.nullable(is.HASH)),
    ...(keyFingerprint === undefined ? {} : { keyFingerprint }),
    files,
    unlearning: {
      metaLearningRate: unlearning.read("metaLearningRate", is.real(Number.MIN_VALUE, 1e6)),
      requestSize: unlearning.read("requestSize", is.integer(1, Number.MAX_SAFE_INTEGER)),
      inputs: unlearning.read(
        "inputs",
        is.list(is.oneOf(META_LOSS_INPUTS), 1, META_LOSS_INPUTS.length, { distinct: true }),
      ),
      stepSizes: unlearning.read("stepSizes", is.oneOf(["global", "learned"])),
    },
    ...(methods ? { methods: parseKitMethods(methods, Object.keys(named)) } : {}),
    ...(statistics
      ? {
        statistics: {
          images: statistics.read("images", COUNT),
          batchSize: statistics.read("batchSize", is.integer(1, Number.MAX_SAFE_INTEGER)),
          stale: statistics.read("stale", is.BOOLEAN),
        },
      }
      : {}),
    ...(ranged ? { stepRanges: readRanges(fields.within("stepRanges"), Object.keys(ranged)) } : {}),
    metaLoss: {
      hidden: metaLoss.read("hidden", WIDTH),
      embeddingSize: metaLoss.read("embeddingSize", WIDTH),
    },
    identities: fields.read("identities", hashes),
    forgotten: fields.read("forgotten", hashes),
    record: fields.read("record", is.OBJECT),
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
  const wrong = misfit(manifest.record, KIT_RECORD, "record");
  if (wrong) fields.refuse(...wrong);
  for (const { file: name, derivedFrom } of files) {
    const due = kitPart(name)?.derivedFrom(generation) ?? derivedFrom;
    if (derivedFrom === due) continue;
    fields.refuse(
      `${name} has derivedFrom ${shown(derivedFrom)}`,
      `of generation ${generation} it is ${shown(due)}`,
    );
  }
  // The fields of version 1 came in the order of whoever wrote them.
  const encoded = version === 1
    ? { text: JSON.stringify(json, null, 2) + "\n", id: sha256Hex(new TextEncoder().encode(text)) }
    : encodeManifest(manifest);
  if (id !== null && id !== encoded.id) {
    fields.refuse(`id is ${id}`, `its content has the id ${encoded.id}`);
  }
  if (text !== encoded.text) {
    fields.refuse(
      "it has spaces, fields or numbers as Lethe does not write them",
      "a kit has one text, so that nothing hides in it",
    );
  }
  return { manifest, id: encoded.id };
}

function readRanges(fields: JsonFields, methods: readonly string[]): KitManifest["stepRanges"] {
  const length = is.real(0, Number.MAX_VALUE);
  const ranges = methods.map((method) => {
    if (!METHOD_NAME.test(method)) {
      fields.refuse(`${shown(method)} is its entry`, "names are words");
    }
    const range = fields.within(method);
    const [low, high] = [range.read("low", length), range.read("high", length)];
    const read = {
      requests: range.read("requests", is.integer(1, Number.MAX_SAFE_INTEGER)),
      heldOut: range.read("heldOut", is.BOOLEAN),
      ...{ low, high },
    };
    range.end();
    if (low > high) fields.refuse(`${method} has low ${low} and high ${high}`, "low comes first");
    return [method, read] as const;
  });
  fields.end();
  return Object.fromEntries(ranges);
}
