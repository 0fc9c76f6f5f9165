/**
 * Kinds of JSON values. Files that name many import them as a whole, so that a field reads as its rule:
 * `fields.read("rank", is.nullable(is.integer(1, 64)))`.
 *
 * @module
 */

/** What a field may hold: a rule in words and its check. */
export interface Kind<T> {
  /** Completes "it is ...". */
  readonly rule: string;
  /** Whether a value is of the kind. */
  readonly accepts: (value: unknown) => value is T;
}

/** A whole number within bounds, both included. */
export function integer(low: number, high: number): Kind<number> {
  return {
    rule: `a whole number from ${low} to ${high}`,
    accepts: (value): value is number =>
      Number.isSafeInteger(value) && Number(value) >= low && Number(value) <= high,
  };
}

/** A number within bounds, both included. */
export function real(low: number, high: number): Kind<number> {
  return {
    rule: `a number from ${low} to ${high}`,
    accepts: (value): value is number => typeof value === "number" && value >= low && value <= high,
  };
}

/** True or false. */
export const BOOLEAN: Kind<boolean> = {
  rule: "true or false",
  accepts: (value): value is boolean => typeof value === "boolean",
};

/** One of some strings. */
export function oneOf<T extends string>(values: readonly T[]): Kind<T> {
  return {
    rule: values.length === 1 ? `"${values[0]}"` : `one of ${values.join(", ")}`,
    accepts: (value): value is T => values.includes(value as T),
  };
}

/** One line of text that is not empty; half a surrogate pair is none of any text. */
export function line(maxLength: number): Kind<string> {
  return {
    rule: `a line of 1 to ${maxLength} characters`,
    accepts: (value): value is string =>
      typeof value === "string" && value.length >= 1 && value.length <= maxLength &&
      value.isWellFormed() && !/\p{Cc}/u.test(value),
  };
}

/** A SHA-256 (or HMAC-SHA256) in lower-case hexadecimal digits. */
export const HASH: Kind<string> = {
  rule: "64 lower-case hexadecimal digits",
  accepts: (value): value is string => typeof value === "string" && /^[0-9a-f]{64}$/.test(value),
};

/** Null or what `kind` accepts. */
export function nullable<T>(kind: Kind<T>): Kind<T | null> {
  return {
    rule: `null or ${kind.rule}`,
    accepts: (value): value is T | null => value === null || kind.accepts(value),
  };
}

/** A list of low to high elements, none twice when `distinct`. */
export function list<T>(
  kind: Kind<T>,
  low: number,
  high: number,
  { distinct = false }: { distinct?: boolean } = {},
): Kind<T[]> {
  const count = low === high ? `${low}` : `${low} to ${high}`;
  return {
    rule: `a list of ${count} elements${distinct ? ", none twice" : ""}, each ${kind.rule}`,
    accepts: (value): value is T[] =>
      Array.isArray(value) && value.length >= low && value.length <= high &&
      value.every(kind.accepts) && (!distinct || new Set(value).size === value.length),
  };
}

/** An object, its fields not looked at yet. */
export const OBJECT: Kind<Record<string, unknown>> = {
  rule: "an object",
  accepts: (value): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value),
};
