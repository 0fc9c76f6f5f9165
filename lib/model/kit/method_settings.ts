import { integer, type JsonFields, type Kind, real } from "../../files/json_fields.ts";

/** Methods that unlearn from a kit and requests alone. */
export const KIT_METHODS = ["metaunlearn", "ssd", "pgu", "jit"] as const;
/** One of {@link KIT_METHODS}. */
export type KitMethod = typeof KIT_METHODS[number];
/** Those that the paper compares MetaUnlearn with: they have settings of their own. */
export type KitBaseline = Exclude<KitMethod, "metaunlearn">;

/** Names of each method's settings. */
interface SettingNames {
  readonly ssd: "selection" | "dampening";
  readonly pgu: "learningRate" | "epochs" | "gamma";
  readonly jit: "learningRate" | "noise" | "draws";
}

/** What each method's settings may be; lib/unlearn/{ssd,pgu,jit}.ts tells what they mean. */
export const METHOD_SETTINGS: {
  readonly [Method in KitBaseline]: Readonly<Record<SettingNames[Method], Kind<number>>>;
} = {
  ssd: { selection: real(0, 1e9), dampening: real(0, 1e9) },
  pgu: { learningRate: real(0, 1e6), epochs: integer(1, 10_000), gamma: real(0, 1) },
  jit: { learningRate: real(0, 1e6), noise: real(1e-9, 1e9), draws: integer(1, 10_000) },
};

/** Settings of one method. */
export type MethodSettings<Method extends KitBaseline> = Readonly<
  Record<SettingNames[Method], number>
>;

/** The settings that a kit brings for the methods that MetaUnlearn is compared with. */
export type KitMethodSettings = { readonly [Method in KitBaseline]: MethodSettings<Method> } & {
  /** Where they come from, in words. */
  readonly source: string;
};

/** Reads one method's settings, all of them. @throws {LetheError} the setting that is wrong */
export function parseMethodSettings<Method extends KitBaseline>(
  method: Method,
  fields: JsonFields,
): MethodSettings<Method> {
  const kinds: Readonly<Record<string, Kind<number>>> = METHOD_SETTINGS[method];
  const read = Object.entries(kinds).map(([name, kind]) => [name, fields.read(name, kind)]);
  fields.end();
  return Object.fromEntries(read) as MethodSettings<Method>;
}
