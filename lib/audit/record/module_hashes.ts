import { join } from "@std/path";
import type { LauncherGraph } from "../receipt/compose_receipt.ts";
import { hashModules, hashPackages, PROJECT, readModuleGraph } from "../layers/module_graph.ts";

/**
 * What a module of the project is made of: the modules and packages that it loads, hashed.
 *
 * @param entry below the project
 * @throws {LetheError} a package is not there and cannot be fetched
 */
export async function moduleHashes(entry: string): Promise<Omit<LauncherGraph, "entry">> {
  const graph = await readModuleGraph(join(PROJECT, entry));
  const code = (await hashModules(graph)).map(({ path, ...rest }) => ({ file: path, ...rest }));
  return { code, packages: hashPackages(graph) };
}
