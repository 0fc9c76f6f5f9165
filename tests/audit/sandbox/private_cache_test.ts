import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { listTree } from "../../../lib/audit/record/digest_files.ts";
import {
  hashPackageFiles,
  knownPackages,
  lockedPackages,
  openPrivateCache,
} from "../../../lib/audit/sandbox/private_cache.js";
import { inTemporaryFolder, writeFiles } from "../../data/temporary_folder.ts";

const PACKAGE = {
  "package.json": "{}",
  "lib/alea.js": "module.exports = 1;",
  "lib/alea.js.map": "{}",
  ".scripts-warned-1": "",
};
const bytes = (text: string) => new TextEncoder().encode(text);

/** What the list would say of {@link PACKAGE}. */
const KNOWN = {
  "a@1.0.0": {
    ...hashPackageFiles([
      ["package.json", bytes("{}")],
      ["lib/alea.js", bytes("module.exports = 1;")],
      ["lib/alea.js.map", 2],
    ]),
    used: true,
  },
};
const LOCKED = ["a@1.0.0", "b@2.0.0"];

Deno.test("packages.json names what deno.lock names; make_package_list.ts writes it anew", () => {
  assertEquals(Object.keys(knownPackages()).sort(), lockedPackages());
});

Deno.test("hashPackageFiles changes with content, names and sizes, and not with the order", () => {
  const one = hashPackageFiles([["a.js", bytes("a")], ["a.map", 3]]);
  assertEquals(hashPackageFiles([["a.map", 3], ["a.js", bytes("a")]]), one);
  assert(hashPackageFiles([["b.js", bytes("a")], ["a.map", 3]]).loadable !== one.loadable);
  assert(hashPackageFiles([["a.js", bytes("b")], ["a.map", 3]]).loadable !== one.loadable);
  assert(hashPackageFiles([["a.js", bytes("a")], ["a.map", 4]]).others !== one.others);
  assert(
    hashPackageFiles([["a.js", bytes("a")], ["a.map", 3], ["photos", 3]]).others !== one.others,
  );
});

Deno.test("openPrivateCache holds the files that can be loaded, and no storage", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(join(folder, "npm/registry.npmjs.org/a/1.0.0"), PACKAGE);
    await writeFiles(join(folder, "gen"), { "emitted.js": "evil" });
    const cache = openPrivateCache(folder, KNOWN, LOCKED);
    assertEquals([cache.missing, cache.changed], [[], []]);
    const root = join(cache.folder, "npm/registry.npmjs.org");
    assertEquals((await listTree(cache.folder)).sort(), [
      "location_data",
      "npm/registry.npmjs.org/a/1.0.0/lib/alea.js",
      "npm/registry.npmjs.org/a/1.0.0/package.json",
    ]);
    assertEquals([...Deno.readDirSync(join(root, "b/2.0.0"))], [], "so that Deno fetches none");
  }));

for (
  const [what, change] of [
    ["one more without extension, as attack 01 has it", (at: string) => add(at, "lib/alea")],
    ["one more that can be loaded", (at: string) => add(at, "node_modules/b/index.js")],
    ["another content", (at: string) => add(at, "lib/alea.js")],
    ["one less", (at: string) => Deno.remove(join(at, "lib/alea.js.map"))],
    ["a link to a file of its own", async (at: string) => {
      await Deno.rename(join(at, "lib/alea.js"), join(at, "lib/b"));
      await Deno.symlink("b", join(at, "lib/alea.js"));
    }],
    ["a link among its folders", (at: string) => Deno.symlink("lib", join(at, "more"))],
    ["notes that say something", (at: string) => add(at, ".scripts-warned-2")],
  ] as const
) {
  Deno.test(`openPrivateCache takes no package with ${what}`, () =>
    inTemporaryFolder(async (folder) => {
      const at = join(folder, "npm/registry.npmjs.org/a/1.0.0");
      await writeFiles(at, PACKAGE);
      const control = openPrivateCache(folder, KNOWN, LOCKED);
      assertEquals(control.changed, []);
      await Deno.remove(control.folder, { recursive: true });
      await change(at);
      assertEquals(openPrivateCache(folder, KNOWN, LOCKED).changed, [at]);
      assertEquals((await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name), ["npm"]);
    }));
}

Deno.test("openPrivateCache says which package is missing", () =>
  inTemporaryFolder((folder) => {
    assertEquals(openPrivateCache(folder, KNOWN, LOCKED).missing, ["a@1.0.0"]);
    return Promise.resolve();
  }));

async function add(at: string, path: string): Promise<void> {
  await writeFiles(at, { [path]: "module.exports = require('./photos');" });
}
