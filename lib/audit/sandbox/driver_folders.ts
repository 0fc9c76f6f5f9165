import { isAbsolute, join } from "@std/path";
import { isWithin } from "./mounts.ts";
import { launcherEnvironment, USERS_LIBRARY_PATH } from "./launcher_environment.js";

/** The one order to the linker that the worker may get. */
export const LIBRARY_PATH = "LD_LIBRARY_PATH";

/** Where the system lists its Vulkan drivers. */
const DRIVER_LISTS = [
  "/etc/vulkan/icd.d",
  "/usr/share/vulkan/icd.d",
  "/usr/local/share/vulkan/icd.d",
];
/** What loads them. */
const LOADER = "libvulkan.so.1";

/**
 * The folders of the user's LD_LIBRARY_PATH that hold the Vulkan loader or a driver, resolved: on CUDA,
 * conda and HPC machines the card's driver may lie nowhere else. No other folder of it reaches the
 * worker.
 *
 * @param apart paths that such a folder must neither hold nor lie in: the data
 */
export async function driverFolders(apart: readonly string[]): Promise<string[]> {
  const environment = await launcherEnvironment();
  const path = environment?.get(USERS_LIBRARY_PATH) ?? environment?.get(LIBRARY_PATH) ?? "";
  return await foldersWithDriver(path, await driverNames(DRIVER_LISTS), apart);
}

/** As {@link driverFolders}, of a given path and with given names of libraries. */
export async function foldersWithDriver(
  path: string,
  names: readonly string[],
  apart: readonly string[],
): Promise<string[]> {
  const found = new Set<string>();
  for (const entry of path.split(/[:;]/)) {
    // An empty or relative entry is the working folder.
    if (!isAbsolute(entry)) continue;
    const folder = await Deno.realPath(entry).catch(() => null);
    // Deno's list of paths is separated by commas, the linker's by colons.
    if (folder === null || /[,:;\n]/.test(folder)) continue;
    if (apart.some((other) => isWithin(other, folder) || isWithin(folder, other))) continue;
    for (const name of names) {
      if (await Deno.stat(join(folder, name)).then(({ isFile }) => isFile, () => false)) {
        found.add(folder);
      }
    }
  }
  return [...found];
}

/** The loader, and the drivers that the system's lists give no place for: the linker looks for them. */
export async function driverNames(lists: readonly string[]): Promise<string[]> {
  const names = new Set([LOADER]);
  for (const list of lists) {
    const entries = await Array.fromAsync(Deno.readDir(list)).catch(() => []);
    for (const { name } of entries.filter(({ name }) => name.endsWith(".json"))) {
      const library = await driverOf(join(list, name));
      if (library !== null && !library.includes("/")) names.add(library);
    }
  }
  return [...names];
}

async function driverOf(file: string): Promise<string | null> {
  try {
    const { ICD } = JSON.parse(await Deno.readTextFile(file));
    return typeof ICD?.library_path === "string" ? ICD.library_path : null;
  } catch {
    return null; // the loader will not be able to read it either
  }
}
