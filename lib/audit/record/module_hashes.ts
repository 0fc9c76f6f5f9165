import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import type { LauncherGraph } from "../receipt/compose_receipt.ts";
import { hashFile } from "./hash_files.ts";
import { hashModules, hashPackages, PROJECT, readModuleGraph } from "../layers/module_graph.ts";

/**
 * The stub that makes the private cache, of whose imports in `lib/` every file is hashed; and what tells Deno
 * which files an import means, and what a task's command line is.
 */
const BEFORE = ["tasks/start.js", "deno.json"];

/**
 * What a module of the project is made of: the modules and packages that it loads, hashed.
 *
 * @param entry below the project
 * @throws {LetheError} a package is not there and cannot be fetched
 */
export async function moduleHashes(entry: string): Promise<Omit<LauncherGraph, "entry">> {
  const graph = await readModuleGraph(join(PROJECT, entry));
  if (graph.strangers.length > 0) {
    throw new LetheError(
      `${entry} loads ${graph.strangers.join(", ")}`,
      "a launcher is made of this copy's modules and the packages of deno.lock",
      "undo the change to deno.json",
      { exitCode: 3 },
    );
  }
  const modules = await hashModules(graph);
  // What starts a launcher, by `deno task`; nothing else of the project runs before it.
  if (entry.startsWith("tasks/")) {
    for (const file of BEFORE) modules.push(await hashFile(join(PROJECT, file), file));
  }
  const code = modules.map(({ path, ...rest }) => ({ file: path, ...rest }));
  return { code, packages: hashPackages(graph) };
}
