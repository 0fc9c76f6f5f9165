import { LetheError } from "../../error.ts";
import { JsonFields, parseJsonObject, shown } from "../../files/json_fields.ts";
import * as is from "../../files/json_kinds.ts";
import type { Kind } from "../../files/json_kinds.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { dependsOnTheta, META_LOSS_INPUTS } from "../meta_loss/meta_loss_inputs.ts";
import {
  encodeManifest,
  type KitFile,
  type KitManifest,
  type ParsedManifest,
} from "./kit_manifest.ts";
import { kitPart } from "./kit_parts.ts";
import { METHOD_NAME, parseKitMethods } from "./method_settings.ts";
import { KIT_RECORD, misfit } from "./record_schema.ts";

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
