import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import type { LauncherGraph } from "../receipt/compose_receipt.ts";
import { hashFile } from "./hash_files.ts";
import { hashModules, hashPackages, PROJECT, readModuleGraph } from "../layers/module_graph.ts";

/**
 * Files that act before the launcher's own modules and that its module graph does not hold: the stub that
 * makes the private cache (what it imports lies in `lib/`, where every file is hashed), and deno.json, which
 * maps import names to files and holds the tasks' command lines.
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
