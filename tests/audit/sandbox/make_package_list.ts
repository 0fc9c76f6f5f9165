// Writes lib/audit/sandbox/packages.json anew, after a change to deno.lock or to the packages that the code
// of launcher or worker imports:
//   deno run -A tests/audit/sandbox/make_package_list.ts
// It takes every tarball from npm's registry and holds it against deno.lock.
import { fromFileUrl } from "@std/path";
import manifest from "../../../deno.json" with { type: "json" };
import { lockedTarballs } from "../../../lib/audit/verify/packages.ts";
import { unpackTarball } from "../../../lib/audit/verify/tarballs.ts";
import { hashPackageFiles } from "../../../lib/audit/sandbox/private_cache.js";
import { loadedFiles, type Package } from "./loaded_files.ts";

/** Of these worker and launcher load nothing, so no file of them is there: types, figures, drawing, tests. */
const ELSEWHERE = /^(?:@types\/|@dicebear\/|d3-|internmap|@sigstore\/)/;
/** What tfjs asks for in Node, and not in Deno. */
const NODE_ALONE = /^(?:node-fetch|form-data)$/;

const packages = new Map<string, Package>();
const list: Record<string, unknown> = {};
const tarballs = lockedTarballs();
for (const { name, integrity, url } of tarballs) {
  const title = name.replace(/@[^@]+$/, "");
  if (ELSEWHERE.test(title) || NODE_ALONE.test(title)) continue;
  const bytes = await (await fetch(url)).bytes();
  packages.set(title, new Map(await unpackTarball(bytes, integrity, name)));
}
const imports = Object.values(manifest.imports).map((specifier) => specifier.replace(/^npm:/, ""));
const loaded = loadedFiles(packages, imports);
for (const { name } of tarballs) {
  const title = name.replace(/@[^@]+$/, "");
  const loads = loaded.get(title) ?? [];
  const files = [...loads.length === 0 ? [] : packages.get(title)!];
  const hashes = hashPackageFiles(
    files.map(([path, content]) => [path, loads.includes(path) ? content : content.length]),
  );
  list[name] = { loads, ...hashes };
}
const path = fromFileUrl(new URL("../../../lib/audit/sandbox/packages.json", import.meta.url));
await Deno.writeTextFile(path, `${JSON.stringify(list, null, 2)}\n`);
