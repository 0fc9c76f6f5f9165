import { LetheError } from "../error.ts";
import { type Kind, OBJECT } from "./json_kinds.ts";

/** An untrusted value in an error line: as JSON, on one line, cut where it is long. */
export function shown(value: unknown): string {
  if (value === undefined) return "missing";
  // JSON escapes the low control characters only; terminals obey others too.
  const json = JSON.stringify(value).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return json.length <= 80 ? json : `${json.slice(0, 77)}...`;
}

/**
 * Parses a JSON object in which no object names a field twice: readers differ in which of the two they
 * take, so a checked file could mean another thing elsewhere.
 *
 * @param file its name, for errors
 * @param remedy what to do about a broken one
 * @throws {LetheError} when the text is not such an object
 */
export function parseJsonObject(
  text: string,
  file: string,
  remedy: string,
): Record<string, unknown> {
  if (isDeep(text)) {
    throw new LetheError(
      `${file} nests more than ${MAX_DEPTH} levels deep`,
      "objects and lists lie within each other as deep as its fields need",
      remedy,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new LetheError(`${file} is not JSON`, "it holds a JSON object", remedy, { cause });
  }
  if (!OBJECT.accepts(value)) {
    throw new LetheError(`${file} holds ${shown(value)}`, "it holds a JSON object", remedy);
  }
  const twice = repeatedName(text);
  if (twice === null) return value;
  throw new LetheError(`${file} names ${shown(twice)} twice`, "a field has one value", remedy);
}

/** More levels than any file of Lethe's has: what walks through a value must not run out of stack. */
const MAX_DEPTH = 64;

/** Whether brackets outside of texts nest deeper than that; other text than JSON may be called either. */
function isDeep(json: string): boolean {
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const letter = json[i];
    if (letter === '"') {
      while (++i < json.length && json[i] !== '"') if (json[i] === "\\") i++;
    } else if (letter === "{" || letter === "[") {
      if (++depth > MAX_DEPTH) return true;
    } else if (letter === "}" || letter === "]") depth--;
  }
  return false;
}

/** A name that an object of valid JSON text gives twice, however it is escaped; null for none. */
function repeatedName(json: string): string | null {
  const open: Set<string>[] = [];
  for (let i = 0; i < json.length; i++) {
    if (json[i] === "{") open.push(new Set());
    else if (json[i] === "}") open.pop();
    else if (json[i] === '"') {
      const start = i++;
      while (json[i] !== '"') i += json[i] === "\\" ? 2 : 1;
      let next = i + 1;
      while (/\s/.test(json[next] ?? "")) next++;
      if (json[next] !== ":") continue; // a value, not a name
      const name: string = JSON.parse(json.slice(start, i + 1));
      const names = open[open.length - 1];
      if (names.has(name)) return name;
      names.add(name);
    }
  }
  return null;
}

/** Reads the fields of an untrusted object one by one; {@link end} refuses those nobody asked for. */
export class JsonFields {
  readonly #record: Readonly<Record<string, unknown>>;
  readonly #where: string;
  readonly #remedy: string;
  readonly #read = new Set<string>();

  /** @param where file and path, for errors @param remedy what to do about a wrong field */
  constructor(record: Readonly<Record<string, unknown>>, where: string, remedy: string) {
    this.#record = record;
    this.#where = where;
    this.#remedy = remedy;
  }

  /**
   * A field of a kind.
   *
   * @throws {LetheError} when it is missing or of another kind
   */
  read<T>(name: string, kind: Kind<T>): T {
    this.#read.add(name);
    const value = Object.hasOwn(this.#record, name) ? this.#record[name] : undefined;
    if (kind.accepts(value)) return value;
    return this.refuse(`${name} is ${shown(value)}`, `it is ${kind.rule}`);
  }

  /** As {@link read}; undefined when the field is not there. */
  optional<T>(name: string, kind: Kind<T>): T | undefined {
    return Object.hasOwn(this.#record, name) ? this.read(name, kind) : undefined;
  }

  /** The fields of an object within. */
  within(name: string): JsonFields {
    return new JsonFields(this.read(name, OBJECT), `${this.#where}: ${name}`, this.#remedy);
  }

  /** @throws {LetheError} always: fields that are wrong together */
  refuse(value: string, rule: string): never {
    throw new LetheError(`${this.#where}: ${value}`, rule, this.#remedy);
  }

  /** @throws {LetheError} when there are fields that were not read */
  end(): void {
    const unknown = Object.keys(this.#record).find((name) => !this.#read.has(name));
    if (unknown === undefined) return;
    this.refuse(`${shown(unknown)} is unknown`, `the fields are ${[...this.#read].join(", ")}`);
  }
}
