/** A place that a receipt names by what lies there: `["{kit}", "/home/jane/kit"]`. */
export type Place = readonly [name: string, path: string];

/** A place whose file names may be people's: they become hashes, or nothing. */
export interface Confidential {
  readonly place: Place;
  /** What stands for a file, by its path below the place. */
  readonly files: ReadonlyMap<string, string>;
}

/** What may follow a path: the next name, or the end of the word that it stands in. */
const END = String.raw`(?=$|[/\\"'\s,:;=()<>\[\]{}])`;
/** A path that goes on, names with spaces included: to the end of the word in quotes or of the line. */
const REST = String.raw`[/\\][^"\n>\\]*(?:\\.[^"\n>\\]*)*`;

/**
 * Makes paths in logs and command lines fit for a receipt, which names nobody: every place becomes its
 * name, however it is spelt (as such, in JSON, in a URL, in a system-call trace); below a confidential
 * place known files become what stands for them, and anything else becomes `..`.
 */
export function redactor(
  places: readonly Place[],
  confidential: readonly Confidential[],
): (text: string) => string {
  const files = confidential.flatMap(({ place: [name, path], files }) =>
    [...files].map(([file, instead]): Place => [`${name}/${instead}`, `${path}/${file}`])
  );
  const closed = confidential.map(({ place }) => place);
  const names = new Map<string, string>();
  const alternatives = (some: readonly Place[]) => {
    const spelt = some.flatMap(([name, path]) =>
      spellings(path).map((spelling) => {
        names.set(spelling, name);
        return spelling;
      })
    );
    // The longest first: a place may lie within another.
    return spelt.sort((a, b) => b.length - a.length).map(RegExp.escape).join("|") || "(?!)";
  };
  const pattern = new RegExp(
    `(?<file>${alternatives(files)})${END}|(?<closed>${alternatives(closed)})${REST}|` +
      `(?<place>${alternatives([...closed, ...places])})${END}`,
    "g",
  );
  return (text) =>
    text.replace(pattern, (...match) => {
      const found: Record<"file" | "closed" | "place", string | undefined> = match.at(-1);
      if (found.closed !== undefined) return `${names.get(found.closed)}/..`;
      return names.get(found.file ?? found.place!)!;
    });
}

/** The ways in which logs write a path. */
function spellings(path: string): string[] {
  const json = JSON.stringify(path).slice(1, -1);
  return [...new Set([path, json, encodeURI(path), octal(path, ""), octal(path, "<>")])];
}

/** A path as strace writes it. @param brackets what it writes in octal besides, in a descriptor's path */
function octal(path: string, brackets: string): string {
  const bytes = new TextEncoder().encode(path);
  return Array.from(bytes, (byte, i) => {
    const letter = String.fromCharCode(byte);
    if (letter === '"' || letter === "\\") return `\\${letter}`;
    if (byte >= 0x20 && byte < 0x7f && !brackets.includes(letter)) return letter;
    // A digit that follows must not be taken for one of the number's.
    const beforeDigit = /[0-9]/.test(String.fromCharCode(bytes[i + 1] ?? 0));
    return `\\${byte.toString(8).padStart(beforeDigit ? 3 : 1, "0")}`;
  }).join("");
}
