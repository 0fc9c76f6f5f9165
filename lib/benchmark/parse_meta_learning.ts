import {
  integer,
  type JsonFields,
  type Kind,
  list,
  nullable,
  OBJECT,
  oneOf,
  real,
} from "../files/json_fields.ts";
import { META_LOSS_INPUTS } from "../model/meta_loss_inputs.ts";
import {
  ALIGN,
  type AuxiliaryForm,
  TERMS,
} from "../unlearn/meta_unlearn/eq5_eq6_auxiliary_objective.ts";
import { PUBLISHED_META_LEARNING } from "../run/meta_learning/settings.ts";
import type { MetaLearningOverrides } from "./settings.ts";

const FLAG: Kind<boolean> = {
  rule: "true or false",
  accepts: (value): value is boolean => typeof value === "boolean",
};
const RATE = real(0, 1e6);
const COUNT = integer(1, 1_000_000);

/** What each setting of meta-learning may be; the names are those of `MetaLearnSettings`. */
const KINDS: { readonly [Name in keyof MetaLearningOverrides]-?: Kind<unknown> } = {
  requestSize: COUNT,
  epochs: COUNT,
  learningRate: RATE,
  metaLearningRate: RATE,
  batchSize: COUNT,
  dropout: real(0, 0.95),
  keep: oneOf(["none", "val", "retain"]),
  keepWeight: RATE,
  stepSizeLearningRate: nullable(RATE),
  inputs: list(oneOf(META_LOSS_INPUTS), 1, META_LOSS_INPUTS.length, { distinct: true }),
  form: OBJECT,
  hidden: integer(1, 8192),
  embeddingSize: integer(1, 4096),
  start: oneOf(["random", "ascent"]),
  varySupport: FLAG,
  holdOut: real(0, 0.9),
  heldOutImages: integer(1, 2 ** 31),
};

/**
 * The field `metaLearning`: what is other than published (App. A, Table 8). Fields that `form` leaves
 * out are the published form's.
 *
 * @returns {} where the field is absent
 * @throws LetheError a setting is unknown or of another kind
 */
export function parseMetaLearning(fields: JsonFields): MetaLearningOverrides {
  if (fields.optional("metaLearning", OBJECT) === undefined) return {};
  const of = fields.within("metaLearning");
  const read = Object.entries(KINDS).map(([name, kind]) =>
    [name, name === "form" ? parseForm(of) : of.optional(name, kind)] as const
  );
  of.end();
  // Each value was held against its kind.
  return Object.fromEntries(
    read.filter(([, value]) => value !== undefined),
  ) as MetaLearningOverrides;
}

function parseForm(fields: JsonFields): AuxiliaryForm | undefined {
  if (fields.optional("form", OBJECT) === undefined) return undefined;
  const of = fields.within("form");
  const published = PUBLISHED_META_LEARNING.form;
  const form: AuxiliaryForm = {
    distance: of.optional("distance", oneOf(["smooth_l1", "l2"])) ?? published.distance,
    terms: of.optional("terms", oneOf(TERMS)) ?? published.terms,
    scaled: of.optional("scaled", FLAG) ?? published.scaled,
    align: of.optional("align", oneOf(ALIGN)) ?? published.align,
  };
  of.end();
  return form;
}
