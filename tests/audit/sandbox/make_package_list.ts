// Writes lib/audit/sandbox/packages.json anew, after a change to deno.lock:
//   deno run -A tests/audit/sandbox/make_package_list.ts
// It takes every tarball from npm's registry and holds it against deno.lock.
import { fromFileUrl } from "@std/path";
import { lockedTarballs } from "../../../lib/audit/verify/packages.ts";
import { hashTarball } from "../../../lib/audit/verify/tarballs.ts";

/** Of these alone worker and launcher load anything; of the others there is no file for them. */
const USED = /^(deno-std|long|seedrandom|@tensorflow\/tfjs|imagescript)/;

const list: Record<string, unknown> = {};
for (const { name, integrity, url } of lockedTarballs()) {
  const bytes = await (await fetch(url)).bytes();
  list[name] = { ...await hashTarball(bytes, integrity, name), used: USED.test(name) };
}
const path = fromFileUrl(new URL("../../../lib/audit/sandbox/packages.json", import.meta.url));
await Deno.writeTextFile(path, `${JSON.stringify(list, null, 2)}\n`);
