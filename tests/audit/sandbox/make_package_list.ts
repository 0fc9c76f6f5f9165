// Writes lib/audit/sandbox/packages.json anew, after a change to deno.lock:
//   deno run -A tests/audit/sandbox/make_package_list.ts
// It takes every tarball from npm's registry and holds it against deno.lock.
import { fromFileUrl } from "@std/path";
import { lockedTarballs } from "../../../lib/audit/verify/packages.ts";
import { hashTarball } from "../../../lib/audit/verify/tarballs.ts";

/** Of these worker and launcher load nothing, so no file of them is there: types, what tfjs needs elsewhere, figures. */
const UNUSED = new RegExp(
  "^(?:@types/|@webgpu/|undici-types|core-js|regenerator-runtime|yargs|y18n|chalk|cliui|argparse|" +
    "ansi-|wrap-ansi|strip-ansi|string-width|emoji-regex|color-|supports-color|has-flag|escalade|" +
    "get-caller-file|require-directory|is-fullwidth|sprintf-js|node-fetch|whatwg-url|tr46|" +
    "webidl-conversions|form-data|mime-|@dicebear/|d3-|internmap|@sigstore/)",
);

const list: Record<string, unknown> = {};
for (const { name, integrity, url } of lockedTarballs()) {
  const bytes = await (await fetch(url)).bytes();
  list[name] = { ...await hashTarball(bytes, integrity, name), used: !UNUSED.test(name) };
}
const path = fromFileUrl(new URL("../../../lib/audit/sandbox/packages.json", import.meta.url));
await Deno.writeTextFile(path, `${JSON.stringify(list, null, 2)}\n`);
