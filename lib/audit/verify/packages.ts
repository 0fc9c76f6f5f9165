import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { parseJsonObject } from "../../files/json_fields.ts";
import { withTemporaryPath } from "../../files/temporary_path.ts";
import { readPlainFile } from "../../files/plain_file.ts";
import { PROJECT } from "../layers/module_graph.ts";
import type { Verdict } from "../layers/checks.ts";
import { launcherCache } from "../sandbox/launcher_cache.ts";
import { knownPackages, openPrivateCache } from "../sandbox/private_cache.js";
import { temporaryFolder } from "../sandbox/run_folder.ts";
import { say } from "../sandbox/shell.ts";
import { hashTarball } from "./tarballs.ts";

/** A package of deno.lock, and where its tarball is. */
export interface LockedTarball {
  /** `name@version`. */
  readonly name: string;
  /** `sha512-` and base64. */
  readonly integrity: string;
  readonly url: string;
  /** What `npm pack` calls it. */
  readonly file: string;
}

const REGISTRY = "https://registry.npmjs.org";
const MAX_TARBALL = 2 ** 28;

/** The tarballs that deno.lock of this copy of Lethe names. */
export function lockedTarballs(): LockedTarball[] {
  const path = join(PROJECT, "deno.lock");
  const { npm } = parseJsonObject(Deno.readTextFileSync(path), path, "restore it");
  const found = new Map<string, LockedTarball>();
  for (const [key, entry] of Object.entries(npm as Record<string, { integrity: string }>)) {
    const [, title, version] = /^(@?[^@]+)@([^_]+)/.exec(key)!;
    const name = `${title}@${version}`;
    const last = title.split("/").at(-1);
    found.set(name, {
      name,
      integrity: entry.integrity,
      url: `${REGISTRY}/${title}/-/${last}-${version}.tgz`,
      file: `${title.replace("@", "").replace("/", "-")}-${version}.tgz`,
    });
  }
  return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

/**
 * Holds the list of packages that launchers are started with (`packages.json`) against deno.lock, by
 * the tarballs themselves.
 *
 * @param folder the tarballs, by the names that `npm pack` gives them
 */
export async function checkTarballs(folder: string): Promise<Verdict> {
  const known = knownPackages();
  const used = lockedTarballs().filter(({ name }) => known[name]?.loads.length);
  for (const { name, integrity, file } of used) {
    const path = join(folder, file);
    const bytes = await readPlainFile(path, {
      maxBytes: MAX_TARBALL,
      remedy: `put it there: npm pack ${name}`,
    });
    const { loaded, others } = await hashTarball(bytes, integrity, path, known[name].loads);
    if (loaded !== known[name].loaded || others !== known[name].others) {
      throw new LetheError(
        `${path} holds other files than lib/audit/sandbox/packages.json says`,
        "that list is of the packages that deno.lock names",
        "undo the change to it",
      );
    }
  }
  return ["held", `${used.length} packages are, file by file, the tarballs that deno.lock names`];
}

/**
 * The same by the network: fetches all packages into a folder that is gone afterwards. Deno holds each
 * tarball against deno.lock.
 *
 * @param entries what is to be loaded, below the project
 * @param registry npm's, or one that stands in for it
 */
export async function checkFetched(
  entries: readonly string[],
  registry = REGISTRY,
): Promise<Verdict> {
  const folder = await temporaryFolder("lethe-packages-", await launcherCache());
  return await withTemporaryPath(folder, async (): Promise<Verdict> => {
    const settings = ["--config", join(PROJECT, "deno.json"), "--lock", join(PROJECT, "deno.lock")];
    const files = entries.map((entry) => join(PROJECT, entry));
    const { code, err } = await say(
      [Deno.execPath(), "cache", "--quiet", "--frozen", ...settings, ...files],
      { DENO_DIR: folder, NPM_CONFIG_REGISTRY: registry },
    );
    if (code !== 0) return ["failed", `${registry}: ${err.split("\n").at(-1)}`];
    const { missing, changed, folder: opened } = openPrivateCache(folder);
    if (missing.length + changed.length > 0) {
      return ["failed", `other files than were published: ${[...missing, ...changed].join(", ")}`];
    }
    await Deno.remove(opened, { recursive: true });
    return [
      "held",
      `the packages of lib/audit/sandbox/packages.json, fetched from ${registry}: Deno held each ` +
      "tarball against deno.lock",
    ];
  });
}
