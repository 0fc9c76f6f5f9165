import { join } from "@std/path";
import type { LauncherGraph } from "../receipt/compose_receipt.ts";
import { hashFile } from "./hash_files.ts";
import { hashModules, hashPackages, PROJECT, readModuleGraph } from "../layers/module_graph.ts";

/** The stub that makes the private cache; of what it imports in `lib/` every file is hashed. */
const STUB = "tasks/start.js";

/**
 * What a module of the project is made of: the modules and packages that it loads, hashed.
 *
 * @param entry below the project
 * @throws {LetheError} a package is not there and cannot be fetched
 */
export async function moduleHashes(entry: string): Promise<Omit<LauncherGraph, "entry">> {
  const graph = await readModuleGraph(join(PROJECT, entry));
  const modules = await hashModules(graph);
  // What starts a launcher, by `deno task`; nothing else of the project runs before it.
  if (entry.startsWith("tasks/")) modules.push(await hashFile(join(PROJECT, STUB), STUB));
  const code = modules.map(({ path, ...rest }) => ({ file: path, ...rest }));
  return { code, packages: hashPackages(graph) };
}
