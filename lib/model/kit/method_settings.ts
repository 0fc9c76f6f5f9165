import type { JsonFields } from "../../files/json_fields.ts";
import { type Kind, OBJECT, real } from "../../files/json_kinds.ts";

/**
 * The settings that a kit brings for the methods that MetaUnlearn is compared with, by method. What
 * each may be is the method's to say (`lib/unlearn/methods/`).
 */
export interface KitMethodSettings {
  /** Where they come from, in words. */
  readonly source: string;
  /** Settings of a method, by name. */
  readonly [method: string]: string | Readonly<Record<string, number>>;
}

/** Most methods in a kit, and most settings of one. */
const MOST = 32;
/** A method's or a setting's name. */
export const METHOD_NAME = /^[a-z][a-zA-Z0-9-]{0,39}$/;

const SOURCE: Kind<string> = {
  rule: "a line of up to 300 plain letters, digits, commas, semicolons and hyphens",
  accepts: (value): value is string =>
    typeof value === "string" && /^[A-Za-z0-9 ,;.-]{1,300}$/.test(value),
};

/** Reads what a kit says of its methods: names and numbers. @throws {LetheError} what is wrong */
export function parseKitMethods(
  fields: JsonFields,
  names: readonly string[],
): KitMethodSettings {
  const settings: Record<string, string | Record<string, number>> = {};
  const methods = names.filter((name) => name !== "source");
  checkNames(fields, methods);
  for (const method of methods) {
    const own = Object.keys(fields.read(method, OBJECT));
    const of = fields.within(method);
    checkNames(of, own);
    settings[method] = Object.fromEntries(
      own.map((name) => [name, of.read(name, real(-1e300, 1e300))]),
    );
  }
  return { source: fields.read("source", SOURCE), ...settings };
}

function checkNames(fields: JsonFields, names: readonly string[]): void {
  if (names.length > MOST) fields.refuse(`it has ${names.length} entries`, `at most ${MOST}`);
  const wrong = names.find((name) => !METHOD_NAME.test(name));
  if (wrong !== undefined) {
    fields.refuse(`${JSON.stringify(wrong)} is its entry`, "names are words");
  }
}
