import { shown } from "../../files/json_fields.ts";
import * as is from "../../files/json_kinds.ts";
import type { Kind } from "../../files/json_kinds.ts";
import { META_LOSS_INPUTS } from "../meta_loss/meta_loss_inputs.ts";

/**
 * What a record may hold: a kind of value, a list of one shape, or an object of named fields, each of
 * which may be left out. A field that is not named here is refused, since a record travels from kit to
 * kit and could carry anything.
 */
export type RecordShape = Kind<unknown> | RecordList | RecordFields;

/** A list and the most elements that it may have. */
export interface RecordList {
  readonly each: RecordShape;
  readonly most: number;
}

/** An object's fields by name. */
export interface RecordFields {
  readonly fields: Readonly<Record<string, RecordShape>>;
}

/** A finite number, or null for one that was not finite. */
export const NUMBER: Kind<number | null> = {
  rule: "a number or null",
  accepts: (value): value is number | null => value === null || Number.isFinite(value),
};
/** Letters, digits and the signs in adapters' names. */
export const WORDS: Kind<string> = {
  rule: "1 to 200 plain letters, digits and signs",
  accepts: (value): value is string =>
    typeof value === "string" && /^[A-Za-z0-9 _.,:;()/+@#*'|&\[\]-]{1,200}$/.test(value),
};
/** A name in the signs that {@link WORDS} knows; a question mark for others. */
export function inWords(name: string): string {
  return name.slice(0, 200).replaceAll(/[^A-Za-z0-9 _.,:;()/+@#*'|&\[\]-]/g, "?") || "unnamed";
}

/** A setting that is one word. */
export const CHOICE: Kind<string> = {
  rule: "a word of up to 30 letters, digits, _ and -",
  accepts: (value): value is string =>
    typeof value === "string" && /^[A-Za-z0-9_-]{1,30}$/.test(value),
};
const COUNT = is.integer(0, Number.MAX_SAFE_INTEGER);

const numbers = (...names: readonly string[]): RecordFields => ({
  fields: Object.fromEntries(names.map((name) => [name, NUMBER])),
});

/** Epochs that a record tells of: the last ones. */
export const MOST_EPOCHS = 1000;

const HELD_OUT: RecordFields = {
  fields: {
    ...numbers("tugOfWar", "forget", "retain", "val").fields,
    interval: numbers("low", "high"),
  },
};
const TRIALS: RecordList = {
  most: 1000,
  each: {
    fields: {
      settings: numbers(
        "selection",
        "dampening",
        "learningRate",
        "epochs",
        "gamma",
        "noise",
        "draws",
        "damping",
      ),
      estimate: HELD_OUT,
    },
  },
};

/** `kit.json`'s `record`: how the kit was learned. A new setting of meta-learning gets a line here. */
export const KIT_RECORD: RecordFields = {
  fields: {
    settings: {
      fields: {
        requestSize: COUNT,
        epochs: COUNT,
        learningRate: NUMBER,
        metaLearningRate: NUMBER,
        batchSize: COUNT,
        dropout: NUMBER,
        inputs: { each: is.oneOf(META_LOSS_INPUTS), most: META_LOSS_INPUTS.length },
        hidden: COUNT,
        embeddingSize: COUNT,
        keep: CHOICE,
        keepWeight: NUMBER,
        start: CHOICE,
        varySupport: is.BOOLEAN,
        holdOut: NUMBER,
        heldOutImages: COUNT,
        form: {
          fields: { terms: CHOICE, distance: CHOICE, scaled: is.BOOLEAN, align: CHOICE },
        },
        stepSizeLearningRate: NUMBER,
      },
    },
    seed: COUNT,
    microBatch: COUNT,
    split: is.HASH,
    device: WORDS,
    precision: CHOICE,
    history: {
      most: MOST_EPOCHS,
      each: {
        fields: { epoch: COUNT, objective: NUMBER, forget: NUMBER, heldOut: HELD_OUT },
      },
    },
    trials: { fields: { ssd: TRIALS, pgu: TRIALS, jit: TRIALS, influence: TRIALS } },
  },
};

/**
 * Finds what does not fit a shape.
 *
 * @param where the value's name, for the answer
 * @returns null, or the value and the rule in words
 */
export function misfit(
  value: unknown,
  shape: RecordShape,
  where: string,
): readonly [value: string, rule: string] | null {
  if ("accepts" in shape) {
    return shape.accepts(value) ? null : [`${where} is ${shown(value)}`, `it is ${shape.rule}`];
  }
  if ("each" in shape) {
    if (!Array.isArray(value) || value.length > shape.most) {
      return [`${where} is ${shown(value)}`, `it is a list of at most ${shape.most} elements`];
    }
    for (const [i, element] of value.entries()) {
      const found = misfit(element, shape.each, `${where}[${i}]`);
      if (found) return found;
    }
    return null;
  }
  if (value === null) return null; // e.g. a trial that came to nothing
  if (!is.OBJECT.accepts(value)) return [`${where} is ${shown(value)}`, "it is an object or null"];
  for (const [name, field] of Object.entries(value)) {
    if (!Object.hasOwn(shape.fields, name)) {
      return [
        `${where}: ${shown(name)} is unknown`,
        `a record has no other fields than ${Object.keys(shape.fields).join(", ")}`,
      ];
    }
    const found = misfit(field, shape.fields[name], `${where}.${name}`);
    if (found) return found;
  }
  return null;
}

/** A value's fields in the shape's order, so that their order tells nothing; unknown ones come last. */
export function inOrder(value: unknown, shape: RecordShape): unknown {
  if ("accepts" in shape || value === null || typeof value !== "object") return value;
  if ("each" in shape) {
    return Array.isArray(value) ? value.map((element) => inOrder(element, shape.each)) : value;
  }
  const fields = value as Record<string, unknown>;
  const known = Object.keys(shape.fields).filter((name) => fields[name] !== undefined)
    .map((name) => [name, inOrder(fields[name], shape.fields[name])] as const);
  const unknown = Object.entries(fields).filter(([name]) => !Object.hasOwn(shape.fields, name));
  return Object.fromEntries([...known, ...unknown]);
}
