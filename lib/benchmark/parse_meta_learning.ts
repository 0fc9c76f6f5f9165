import type { JsonFields } from "../files/json_fields.ts";
import * as is from "../files/json_kinds.ts";
import type { Kind } from "../files/json_kinds.ts";
import { META_LOSS_INPUTS } from "../model/meta_loss/meta_loss_inputs.ts";
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
const RATE = is.real(0, 1e6);
const COUNT = is.integer(1, 1_000_000);

/** What each setting of meta-learning may be; the names are those of `MetaLearnSettings`. */
const KINDS: { readonly [Name in keyof MetaLearningOverrides]-?: Kind<unknown> } = {
  requestSize: COUNT,
  epochs: COUNT,
  learningRate: RATE,
  metaLearningRate: RATE,
  batchSize: COUNT,
  dropout: is.real(0, 0.95),
  keep: is.oneOf(["none", "val", "retain"]),
  keepWeight: RATE,
  stepSizeLearningRate: is.nullable(RATE),
  inputs: is.list(is.oneOf(META_LOSS_INPUTS), 1, META_LOSS_INPUTS.length, { distinct: true }),
  form: is.OBJECT,
  hidden: is.integer(1, 8192),
  embeddingSize: is.integer(1, 4096),
  start: is.oneOf(["random", "ascent"]),
  varySupport: FLAG,
  holdOut: is.real(0, 0.9),
  heldOutImages: is.integer(1, 2 ** 31),
};

/**
 * The field `metaLearning`: what is other than published (App. A, Table 8). Fields that `form` leaves
 * out are the published form's.
 *
 * @returns {} where the field is absent
 * @throws LetheError a setting is unknown or of another kind
 */
export function parseMetaLearning(fields: JsonFields): MetaLearningOverrides {
  if (fields.optional("metaLearning", is.OBJECT) === undefined) return {};
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
  if (fields.optional("form", is.OBJECT) === undefined) return undefined;
  const of = fields.within("form");
  const published = PUBLISHED_META_LEARNING.form;
  const form: AuxiliaryForm = {
    distance: of.optional("distance", is.oneOf(["smooth_l1", "l2"])) ?? published.distance,
    terms: of.optional("terms", is.oneOf(TERMS)) ?? published.terms,
    scaled: of.optional("scaled", FLAG) ?? published.scaled,
    align: of.optional("align", is.oneOf(ALIGN)) ?? published.align,
  };
  of.end();
  return form;
}
