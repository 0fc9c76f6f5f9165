import * as is from "../../files/json_kinds.ts";
import type { Kind } from "../../files/json_kinds.ts";
import type { Plain } from "./receipt.ts";

/** A path below a folder that leads nowhere else. */
export const FILE: Kind<string> = {
  rule: "a path of plain names below its folder",
  accepts: (value): value is string =>
    typeof value === "string" && value.length <= 1000 &&
    value.split("/").every((name) => /^[A-Za-z0-9_-][A-Za-z0-9_.@+-]*$/.test(name)),
};

export const TIME: Kind<string> = {
  rule: "an ISO 8601 time in UTC",
  accepts: (value): value is string =>
    typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) &&
    !Number.isNaN(Date.parse(value)) && new Date(value).toISOString() === value,
};

export const SIGNATURE: Kind<string> = {
  rule: "128 lower-case hexadecimal digits",
  accepts: (value): value is string => typeof value === "string" && /^[0-9a-f]{128}$/.test(value),
};

export const COMMIT: Kind<string> = {
  rule: "40 or 64 lower-case hexadecimal digits",
  accepts: (value): value is string =>
    typeof value === "string" && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(value),
};
/** What an auditor may choose, by the byte. */
export const NONCE: Kind<string> = {
  rule: "16 to 128 lower-case hexadecimal digits, two to the byte",
  accepts: (value): value is string =>
    typeof value === "string" && /^(?:[0-9a-f]{2}){8,64}$/.test(value),
};
export const LENGTH = is.real(0, Number.MAX_VALUE);
export const LENGTHS: Kind<Record<string, number>> = {
  rule: "an object of numbers that are not negative",
  accepts: (value): value is Record<string, number> =>
    is.OBJECT.accepts(value) &&
    Object.entries(value).every(([name, norm]) =>
      is.line(200).accepts(name) && LENGTH.accepts(norm)
    ),
};

export const LINE = is.line(100_000);
/** A word of a command line, which may be a script. */
export const WORD: Kind<string> = {
  rule: "a text without control characters other than line breaks",
  accepts: (value): value is string =>
    value === "" || typeof value === "string" && LINE.accepts(value.replaceAll("\n", " ")),
};
export const BYTES = is.integer(0, Number.MAX_SAFE_INTEGER);

export const PLAIN: Kind<Record<string, Plain>> = {
  rule: "an object of words, numbers, true, false or null",
  accepts: (value): value is Record<string, Plain> =>
    is.OBJECT.accepts(value) &&
    Object.entries(value).every(([name, field]) =>
      is.line(100).accepts(name) &&
      (field === null || field === "" || typeof field === "boolean" ||
        Number.isFinite(field) || LINE.accepts(field))
    ),
};
