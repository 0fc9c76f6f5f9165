/**
 * A value as one line of JSON that a terminal may show: characters that command a terminal or turn its
 * direction of writing are escaped as JSON escapes them, so that it stays JSON.
 */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
