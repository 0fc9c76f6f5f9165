import { basename } from "@std/path";
import { LetheError, UsageError } from "../../error.ts";
import { withoutLinkerOrders } from "./launcher_environment.js";
import { CACHE_PREFIX, holdPrivateCache, removePrivateCache } from "./private_cache.js";
import { privateCache } from "./start.js";

let cache: Promise<string> | undefined;

/**
 * This process was started in a private DENO_DIR, whose maker removes it.
 *
 * @throws {UsageError} it is no folder of that maker's: whoever ends in a hurry would remove it
 */
export function livesInCache(folder: string): void {
  if (!basename(folder).startsWith(CACHE_PREFIX)) {
    throw new UsageError(`${folder} is no private DENO_DIR`, "tasks/start.js makes it", "use that");
  }
  holdPrivateCache(folder);
  cache = Promise.resolve(folder);
}

/**
 * The private DENO_DIR of this process and of the programs that it starts: the one that it was started
 * in, or one that it makes and removes at its end. It holds the packages that deno.lock stands for and
 * no code that an earlier run, or anybody, left there.
 *
 * @throws {LetheError} a package is missing and cannot be fetched, or is not what deno.lock names
 */
export function launcherCache(): Promise<string> {
  return cache ??= makeCache();
}

async function makeCache(): Promise<string> {
  const made = await privateCache(
    "lib/audit/sandbox/unlearn_contained.ts",
    await withoutLinkerOrders(),
  );
  if (typeof made !== "string") {
    const { value, rule, remedy, exitCode } = made;
    throw new LetheError(value, rule, remedy, { exitCode });
  }
  globalThis.addEventListener("unload", () => removePrivateCache(made));
  return made;
}
