import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { listTree } from "../../../lib/audit/record/digest_files.ts";
import {
  hashPackageFiles,
  knownPackages,
  lockedPackages,
  openPrivateCache,
  removePrivateCache,
  sweepPrivateCaches,
} from "../../../lib/audit/sandbox/private_cache.js";
import { inTemporaryFolder, writeFiles } from "../../data/temporary_folder.ts";

const PACKAGE = {
  "package.json": "{}",
  "lib/alea.js": "module.exports = 1;",
  "lib/alea.js.map": "{}",
  "lib/alea.min.js": "module.exports=1",
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
      ["lib/alea.min.js", 16],
    ]),
    loads: ["lib/alea.js", "package.json"],
  },
};
const LOCKED = ["a@1.0.0", "b@2.0.0"];

Deno.test("packages.json names what deno.lock names; make_package_list.ts writes it anew", () => {
  assertEquals(Object.keys(knownPackages()).sort(), lockedPackages());
});

Deno.test("hashPackageFiles changes with content, names and sizes, and not with the order", () => {
  const one = hashPackageFiles([["a.js", bytes("a")], ["a.map", 3]]);
  assertEquals(hashPackageFiles([["a.map", 3], ["a.js", bytes("a")]]), one);
  assert(hashPackageFiles([["b.js", bytes("a")], ["a.map", 3]]).loaded !== one.loaded);
  assert(hashPackageFiles([["a.js", bytes("b")], ["a.map", 3]]).loaded !== one.loaded);
  assert(hashPackageFiles([["a.js", bytes("a")], ["a.map", 4]]).others !== one.others);
  assert(
    hashPackageFiles([["a.js", bytes("a")], ["a.map", 3], ["photos", 3]]).others !== one.others,
  );
});

Deno.test("openPrivateCache holds the files that are loaded, and no storage", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(join(folder, "npm/registry.npmjs.org/a/1.0.0"), PACKAGE);
    await writeFiles(join(folder, "gen"), { "emitted.js": "evil" });
    const cache = openPrivateCache(folder, KNOWN, LOCKED);
    assertEquals([cache.missing, cache.changed], [[], []]);
    const root = join(cache.folder, "npm/registry.npmjs.org");
    assertEquals((await listTree(cache.folder)).sort(), [
      "held",
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
    ["a longer file that nobody loads", (at: string) => add(at, "lib/alea.min.js")],
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

/** A process that lives in a private cache, and says so. */
const LIVES = `
import { holdPrivateCache } from ${
  JSON.stringify(new URL("../../../lib/audit/sandbox/private_cache.js", import.meta.url).href)
};
holdPrivateCache(Deno.args[0]);
console.log("holds");
await new Promise((done) => setTimeout(done, 1e6));`;

Deno.test("sweepPrivateCaches removes what a killed process left, and nothing that anybody lives in", () =>
  inTemporaryFolder(async (folder) => {
    const names = ["lethe-cache-a", "lethe-cache-b", "lethe-cache-earlier", "npm"];
    await writeFiles(folder, Object.fromEntries(names.map((name) => [`${name}/npm/a.js`, ""])));
    await Deno.writeTextFile(join(folder, "lives.js"), LIVES);
    const live = (name: string) =>
      new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--no-config", "-A", join(folder, "lives.js")]
          .concat(join(folder, name)),
        ...{ stdin: "null", stdout: "piped" },
      }).spawn();
    const [one, other] = [live("lethe-cache-a"), live("lethe-cache-b")];
    const lies = () => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    const readers = [one, other].map(({ stdout }) => stdout.getReader());
    try {
      for (const reader of readers) await reader.read();
      const before = lies();
      const later = Date.now() + 120_000;
      sweepPrivateCaches(folder, later);
      assertEquals(lies(), before, "the control: all of them live");
      one.kill("SIGKILL");
      await one.status;
      sweepPrivateCaches(folder);
      assertEquals(lies(), before, "it may be just being made");
      sweepPrivateCaches(folder, later);
      assertEquals(lies(), before.filter((name) => name !== "lethe-cache-a"));
      sweepPrivateCaches(folder, Date.now() + 8 * 24 * 3600 * 1000);
      assertEquals(
        lies(),
        ["lethe-cache-b", "lives.js", "npm"],
        "an earlier version's, in the end",
      );
    } finally {
      other.kill("SIGKILL");
      await other.status;
      for (const reader of readers) await reader.cancel();
    }
  }));

Deno.test("removePrivateCache tries again while somebody still writes, and the lock's file goes last", () =>
  inTemporaryFolder(async (folder) => {
    const cache = join(folder, "lethe-cache-a");
    const files = { "lethe-cache-a/npm/a.js": "", "lethe-cache-a/held": "" };
    const remove = (path: string) => Deno.removeSync(path, { recursive: true });
    const lies = () => [...Deno.readDirSync(cache)].map(({ name }) => name).sort();
    await writeFiles(folder, files);
    let tried = 0;
    removePrivateCache(cache, (path) => {
      if (path.endsWith("/npm") && tried++ < 3) throw new Error("Directory not empty");
      if (path === cache) assertEquals(lies(), ["held"]);
      remove(path);
    });
    assertEquals([tried, [...Deno.readDirSync(folder)].length], [4, 0]);
    await writeFiles(folder, files);
    removePrivateCache(cache, (path) => {
      if (path.endsWith("/npm")) throw new Error("Directory not empty");
      remove(path);
    });
    assertEquals(lies(), ["held", "npm"], "the next run sweeps it: nobody holds it");
    sweepPrivateCaches(folder, Date.now() + 120_000);
    // What a program on its way out has made anew is nobody's home.
    await writeFiles(folder, { "lethe-cache-b/node_analysis_cache_v2": "" });
    sweepPrivateCaches(folder, Date.now() + 120_000);
    assertEquals([...Deno.readDirSync(folder)].length, 0);
    removePrivateCache(cache); // somebody else has
  }));
