import { UsageError } from "../error.ts";
import type { JsonFields } from "../files/json_fields.ts";
import { badTeacher } from "./methods/bad_teacher.ts";
import { influence } from "./methods/influence.ts";
import { jit } from "./methods/jit.ts";
import { memory } from "./methods/memory.ts";
import { metaunlearn } from "./methods/metaunlearn.ts";
import { kindOf, type Method, type PublishedLayout } from "./methods/method.ts";
import { pgu } from "./methods/pgu.ts";
import { referenceTuning } from "./methods/reference_tuning.ts";
import { scrub } from "./methods/scrub.ts";
import { ssd } from "./methods/ssd.ts";

// Every method, a line each; the paper's own comes first.
const ALL = [
  metaunlearn,
  memory,
  ssd,
  pgu,
  jit,
  influence,
  scrub,
  badTeacher,
  referenceTuning,
] as const;

/** Every method. */
export const METHODS: readonly Method[] = ALL;

/** A method's name, as `--method` has it. */
export type MethodName = typeof ALL[number]["name"];
/** A name of some method's setting. */
export type SettingName = typeof ALL[number] extends infer Each
  ? Each extends Method<string, infer Name> ? Name : never
  : never;
/** Values of a method's settings by name. */
export type MethodSettings = Readonly<Record<string, number>>;

/** A method by its name. @throws {UsageError} it is nobody's, as one of a program's own settings may be */
export function methodOf(name: MethodName): Method {
  const method = ALL.find((method) => method.name === name);
  if (method) return method;
  const names = ALL.map(({ name }) => name).join(", ");
  throw new UsageError(`method ${JSON.stringify(name)}`, `it is ${names}`, "take one");
}

/** Those that read the training images when they unlearn: to compare with, no answer to a request. */
export const DATA_METHODS: readonly MethodName[] = namesOf(needsData);
/** Those that unlearn from a kit and requests alone. */
export const KIT_METHODS: readonly MethodName[] = namesOf((method) => !needsData(method));
/** Those that MetaUnlearn is compared with, by the paper or here: their settings are numbers. */
export const BASELINES: readonly MethodName[] = namesOf(({ published }) => published.length > 0);

/** Whether a method reads the training images when it unlearns. */
export function needsData({ needs }: Pick<Method, "needs">): boolean {
  return needs.includes("training images");
}

/** Whether a method needs models that never saw the people to forget. */
export function needsReferences({ needs }: Pick<Method, "needs">): boolean {
  return needs.includes("references");
}

/** Whether a method needs sums over the training images. */
export function needsStatistics({ needs }: Pick<Method, "needs">): boolean {
  return needs.includes("importances") || needs.includes("covariances");
}

function namesOf(which: (method: Method) => boolean): MethodName[] {
  return ALL.filter((method) => which(method)).map(({ name }) => name);
}

/**
 * The published settings of a method.
 *
 * @param layout data sets that the paper does not have take CelebA's
 * @param forget number of people to forget
 * @throws TypeError a method without any: its settings lie in the kit
 */
export function publishedSettings(
  { name, published }: Pick<Method, "name" | "published">,
  layout: string,
  forget: number,
): MethodSettings {
  const known = publishedLayout(layout);
  const row = published.find((row) => row.layout === known && forget <= row.upTo);
  if (row) return row.settings;
  throw new TypeError(`${name} has no published settings`);
}

/** The data set whose published settings a layout takes: its own, or CelebA's. */
export function publishedLayout(layout: string): PublishedLayout {
  return layout === "celebahq" || layout === "mufac" ? layout : "celeba";
}

/**
 * Reads settings of a method from a file.
 *
 * @param needed whether each must be there
 * @throws {LetheError} the setting that is wrong, missing or unknown
 */
export function parseMethodSettings(
  { settings }: Pick<Method, "settings">,
  fields: JsonFields,
  needed: "all" | "some",
): MethodSettings {
  const read: Record<string, number> = {};
  for (const [name, setting] of Object.entries(settings)) {
    const kind = kindOf(setting);
    const value = needed === "all" ? fields.read(name, kind) : fields.optional(name, kind);
    if (value !== undefined) read[name] = value;
  }
  fields.end();
  return read;
}
