import { fromFileUrl, join } from "@std/path";

const PROJECT = fromFileUrl(new URL("../", import.meta.url));

/** A block of shell commands in a README. */
export interface CommandBlock {
  /** Below the project. */
  readonly file: string;
  /** Command lines without comments. */
  readonly lines: readonly string[];
  /** What its fence says that it takes: `needs-data`, `needs-card`, `needs-slurm`, `takes-minutes`; or "". */
  readonly needs: string;
}

/** The marks that a block may have. */
export const MARKS: readonly string[] = ["", "needs-data", "needs-card", "needs-slurm"].concat(
  "takes-minutes",
);

/** Every README of the project below a folder, the top one first. */
export async function readmes(folder = ""): Promise<string[]> {
  const found: string[] = [];
  const entries = await Array.fromAsync(Deno.readDir(join(PROJECT, folder)));
  for (const { name } of entries.filter(({ name }) => name === "README.md")) {
    found.push(join(folder, name));
  }
  for (const { name, isDirectory } of entries.toSorted((a, b) => a.name < b.name ? -1 : 1)) {
    const inside = isDirectory && (folder !== "" || ROOMS.includes(name));
    if (inside) found.push(...await readmes(join(folder, name)));
  }
  return found;
}

/** Folders of the project that may hold a README; outputs may lie beside them. */
const ROOMS = ["cli", "fixtures", "lib", "tasks", "tests"];

/** The blocks of a README in order. */
export async function commandBlocks(file: string): Promise<CommandBlock[]> {
  const text = await Deno.readTextFile(join(PROJECT, file));
  return [...text.matchAll(/^```sh *(.*)\n([^]*?)^```$/gm)].map(([, needs, body]) => ({
    file,
    needs,
    lines: body.split("\n").map((line) => line.replace(/(^| +)#.*$/, "").trim()).filter(Boolean),
  }));
}
