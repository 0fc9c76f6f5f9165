import { join } from "@std/path";
import { LetheError } from "../error.ts";
import { listFolder } from "../files/list_folder.ts";
import { writeWhole } from "../files/write_whole.ts";
import { markdownTable } from "./markdown_table.ts";
import { parseWrittenResult, type WrittenResult } from "./written_result.ts";

/** `<!-- results NAME -->`, what stands there now, `<!-- /results -->`. */
const PLACE = /(<!-- results ([a-z0-9_]+) -->\n)([\s\S]*?)(<!-- \/results -->)/g;

/** Folders whose READMEs may hold tables, below the project. */
const TEXTS = ["", "lib", "tests", ".github"];

/**
 * Writes the results that are kept in `fixtures/results/` into the READMEs, each between its markers:
 * no table of results is typed by hand.
 *
 * @param project the repository's root
 * @param check change nothing
 * @returns the texts that differ, or differed, from the results, and the results that no text shows
 * @throws {LetheError} a marker names no result, or a result is not of the form
 */
export async function writeTables(
  project: string,
  check: boolean,
): Promise<{ readonly stale: readonly string[]; readonly unused: readonly string[] }> {
  const results = await readResults(join(project, "fixtures", "results"));
  const [stale, used] = [[] as string[], new Set<string>()];
  for await (const text of markdownFiles(project)) {
    const path = join(project, text);
    const before = await Deno.readTextFile(path);
    const after = before.replaceAll(PLACE, (_, start: string, name: string, _old, end: string) => {
      const result = results.get(name);
      if (!result) throw missing(text, name, [...results.keys()]);
      used.add(name);
      return `${start}\n${textOf(result)}\n\n${end}`;
    });
    if (after === before) continue;
    stale.push(text);
    if (!check) await writeWhole(path, after);
  }
  return { stale, unused: [...results.keys()].filter((name) => !used.has(name)) };
}

async function readResults(folder: string): Promise<Map<string, WrittenResult>> {
  const results = new Map<string, WrittenResult>();
  const entries = await listFolder(folder, "results are kept there, a JSON file a table");
  for (
    const name of entries.map(({ name }) => name).filter((name) => name.endsWith(".json")).sort()
  ) {
    const path = join(folder, name);
    results.set(
      name.slice(0, -".json".length),
      parseWrittenResult(await Deno.readTextFile(path), path),
    );
  }
  return results;
}

/** A table and the line that says where it comes from. */
function textOf({ columns, rows, command, commit, adapter, machine, date }: WrittenResult): string {
  const origin = `\`${command}\`, commit ${commit.slice(0, 7)}, ${adapter}, ${machine}, ${date}`;
  return [...markdownTable(columns, rows), "", "<!-- deno-fmt-ignore -->", origin].join("\n");
}

function missing(text: string, name: string, known: readonly string[]): LetheError {
  return new LetheError(
    `${text} shows the results ${name}`,
    `fixtures/results/ has ${known.join(", ") || "none"}`,
    "name one of them, or keep the results there",
  );
}

async function* markdownFiles(project: string): AsyncGenerator<string> {
  for (const top of TEXTS) yield* below(project, top, top === "");
}

async function* below(project: string, folder: string, flat: boolean): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(join(project, folder))) {
    const path = folder === "" ? name : `${folder}/${name}`;
    if (isDirectory && !flat) yield* below(project, path, false);
    else if (!isDirectory && name.endsWith(".md")) yield path;
  }
}
