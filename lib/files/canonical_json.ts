/**
 * The one JSON text of a value, as RFC 8785 (JCS) writes it: no white space, fields sorted by their
 * UTF-16 code units, numbers and strings as ECMAScript writes them. Two readers of one receipt, however
 * it is laid out on the disk, check the signature over the same bytes.
 *
 * @param value what JSON.parse gives: null, booleans, finite numbers, strings, arrays, objects
 * @throws {TypeError} anything else, undefined fields and lone surrogates included
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === "boolean") return JSON.stringify(value);
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (typeof value === "string" && value.isWellFormed()) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    const fields = Object.entries(value)
      .sort(([a], [b]) => a < b ? -1 : 1)
      .map(([name, field]) => `${canonicalJson(name)}:${canonicalJson(field)}`);
    return `{${fields.join()}}`;
  }
  throw new TypeError(`${Deno.inspect(value)} has no canonical JSON`);
}
