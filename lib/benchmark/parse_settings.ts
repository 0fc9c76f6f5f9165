import { DEFAULT_FOLDS, DEFAULT_MEMORY } from "../run/memory/settings.ts";
import { DATASET_NAMES } from "../data/sample.ts";
import { RMIA_DEFAULTS } from "../measure/eq9_rmia.ts";
import { type PresetName, PRESETS } from "../model/config.ts";
import { JsonFields, parseJsonObject } from "../files/json_fields.ts";
import * as is from "../files/json_kinds.ts";
import type { Kind } from "../files/json_kinds.ts";
import { TRAINING_RECIPES } from "../model/recipes.ts";
import { BASELINES, type MethodName, methodOf } from "../unlearn/methods.ts";
import { kindOf } from "../unlearn/methods/method.ts";
import { parseMetaLearning } from "./parse_meta_learning.ts";
import type {
  DataSettings,
  GridSettings,
  MeasureSettings,
  MemoryTuning,
  MethodSettings,
  TrainingOverrides,
} from "./settings.ts";

const REMEDY = "correct the settings file";
const SEED = is.integer(0, 2 ** 32 - 1);
const PEOPLE = is.integer(1, 1_000_000);
/** Names that can stand in a table's first column and in a title. */
const NAME = is.line(80);

/**
 * Reads a grid's settings strictly: a field that is missing, of another kind or unknown is refused by
 * name.
 *
 * @param file its name, for errors
 * @throws LetheError the field that is wrong
 */
export function parseGridSettings(text: string, file: string): GridSettings {
  const fields = new JsonFields(parseJsonObject(text, file, REMEDY), file, REMEDY);
  const each = <T>(name: string, most: number, parse: (fields: JsonFields) => T): T[] =>
    fields.read(name, is.list(is.OBJECT, 1, most)).map((entry, i) => {
      const of = new JsonFields(entry, `${file}: ${name}[${i}]`, REMEDY);
      const parsed = parse(of);
      of.end();
      return parsed;
    });
  const note = fields.optional("note", is.line(1000));
  const sequence = fields.optional("sequence", is.OBJECT) && fields.within("sequence");
  const settings: GridSettings = {
    version: fields.read("version", is.integer(1, 1)) as 1,
    name: fields.read("name", NAME),
    ...(note === undefined ? {} : { note }),
    seeds: fields.read("seeds", is.list(SEED, 1, 100, { distinct: true })),
    data: each("data", 16, parseData),
    methods: each("methods", 64, parseMethod),
    measure: parseMeasure(fields),
    ...(sequence ? { sequence: { requests: sequence.read("requests", is.integer(2, 1000)) } } : {}),
  };
  sequence?.end();
  fields.end();
  for (const rows of ["data", "methods"] as const) {
    const names = settings[rows].map(({ name }) => name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) fields.refuse(`${rows} names ${twice} twice`, "a name is one row's");
  }
  return settings;
}

function parseData(fields: JsonFields): DataSettings {
  const layout = fields.read("layout", is.oneOf([...DATASET_NAMES, "portraits"] as const));
  const root = layout === "portraits" ? undefined : fields.optional("root", is.line(4096));
  const drawn = layout === "portraits" ? fields.within("portraits") : undefined;
  const portraits = drawn && {
    identities: drawn.read("identities", is.integer(1, 100_000)),
    imagesPerIdentity: drawn.read("imagesPerIdentity", is.integer(1, 1000)),
    side: drawn.read("side", is.integer(8, 1024)),
  };
  drawn?.end();
  const init = fields.optional("init", is.line(4096));
  const data: DataSettings = {
    name: fields.read("name", NAME),
    layout,
    ...(root === undefined ? {} : { root }),
    ...(portraits === undefined ? {} : { portraits }),
    forget: fields.read("forget", is.list(PEOPLE, 1, 16, { distinct: true })),
    preset: fields.read("preset", is.oneOf(Object.keys(PRESETS) as PresetName[])),
    recipe: fields.read("recipe", is.oneOf(TRAINING_RECIPES.map(({ name }) => name))),
    training: parseTraining(fields),
    ...(init === undefined ? {} : { init }),
    metaLearning: parseMetaLearning(fields),
    requestSizeForOne: fields.optional("requestSizeForOne", PEOPLE) ?? 10,
  };
  return data;
}

function parseTraining(fields: JsonFields): Partial<TrainingOverrides> {
  if (fields.optional("training", is.OBJECT) === undefined) return {};
  const of = fields.within("training");
  const training = present<TrainingOverrides>({
    epochs: of.optional("epochs", is.integer(1, 10_000)),
    learningRate: of.optional("learningRate", is.real(0, 1e3)),
    weightDecay: of.optional("weightDecay", is.real(0, 1e3)),
    batchSize: of.optional("batchSize", is.integer(1, 65_536)),
    select: of.optional("select", is.oneOf(["best", "last"])),
  });
  of.end();
  return training;
}

/** Kinds of {@link MemoryTuning}'s numbers. */
const TUNING: Readonly<Record<keyof MemoryTuning, Kind<number>>> = {
  momentum: is.real(0, 0.999),
  stableShare: is.real(0, 2),
  lastStep: is.real(0, 1),
  retainWeight: is.real(0, 1e6),
  retainImages: is.integer(1, 1_000_000),
  labelShare: is.real(0, 1),
  mostLost: is.real(0, 1),
  power: is.real(0, 2),
};

function parseMethod(fields: JsonFields): MethodSettings {
  const name = fields.read("name", NAME);
  const names = ["metaunlearn", "memory", ...BASELINES] as const;
  const method = fields.read("method", is.oneOf<MethodName>(names));
  if (method === "memory") {
    const tuning = Object.fromEntries(
      Object.entries(TUNING).flatMap(([key, kind]) => {
        const value = fields.optional(key, kind);
        return value === undefined ? [] : [[key, value]];
      }),
    );
    return {
      ...{ name, method },
      rank: fields.optional("rank", is.nullable(is.integer(1, 65_536))) ?? null,
      folds: fields.optional("folds", is.integer(2, 1000)) ?? DEFAULT_FOLDS.folds,
      foldSets: fields.optional("foldSets", is.integer(1, 16)) ?? DEFAULT_FOLDS.foldSets,
      rounds: fields.optional("rounds", is.integer(1, 1000)) ?? DEFAULT_MEMORY.memorise.rounds,
      ...tuning,
      ...(fields.optional("updates", is.BOOLEAN) ? { updates: true } : {}),
    };
  }
  if (method === "metaunlearn") {
    const metaLearning = parseMetaLearning(fields);
    return { name, method, ...(Object.keys(metaLearning).length > 0 ? { metaLearning } : {}) };
  }
  const kinds = Object.fromEntries(
    Object.entries(methodOf(method).settings).map(([key, setting]) => [key, kindOf(setting)]),
  );
  const candidate: Kind<Record<string, number>> = {
    rule: `an object with some of ${
      Object.entries(kinds).map(([key, { rule }]) => `${key} (${rule})`).join(", ")
    }`,
    accepts: (value): value is Record<string, number> =>
      is.OBJECT.accepts(value) &&
      Object.entries(value).every(([key, each]) =>
        Object.hasOwn(kinds, key) && kinds[key].accepts(each)
      ),
  };
  const candidates = fields.optional("candidates", is.list(candidate, 1, 64));
  return { name, method, ...(candidates === undefined ? {} : { candidates }) };
}

function parseMeasure(fields: JsonFields): MeasureSettings {
  if (fields.optional("measure", is.OBJECT) === undefined) return DEFAULT_MEASURE;
  const of = fields.within("measure");
  const rmia = of.optional("rmia", is.OBJECT) && of.within("rmia");
  const measure: MeasureSettings = {
    rmia: {
      a: rmia?.optional("a", is.real(0, 1)) ?? RMIA_DEFAULTS.a,
      gamma: rmia?.optional("gamma", is.real(Number.MIN_VALUE, 1e6)) ?? RMIA_DEFAULTS.gamma,
    },
    draws: of.optional("draws", is.integer(1, 1_000_000)) ?? DEFAULT_MEASURE.draws,
  };
  rmia?.end();
  of.end();
  return measure;
}

/** What a grid measures by unless it says otherwise. */
export const DEFAULT_MEASURE: MeasureSettings = { rmia: RMIA_DEFAULTS, draws: 1000 };

/** An object without the fields that are undefined. */
export function present<T>(fields: { [Name in keyof T]: T[Name] | undefined }): Partial<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}
