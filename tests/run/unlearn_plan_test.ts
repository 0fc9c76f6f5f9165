import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { LetheError } from "../../lib/error.ts";
import {
  identityHash,
  identityKeyPath,
  keyFingerprint,
  newIdentityKey,
  writeIdentityKey,
} from "../../lib/model/kit/identity_key.ts";
import { writeKit } from "../../lib/model/kit/write_kit.ts";
import { readManifest } from "../../lib/model/kit/stored_manifest.ts";
import { planUnlearning, whileInUse } from "../../lib/run/unlearn_plan.ts";
import type { UnlearnSummary } from "../../lib/run/unlearn_summary.ts";
import { beginUse, refuseUsed } from "../../lib/model/kit/kit_uses.ts";
import { inTemporaryFolder, writeFiles } from "../data/temporary_folder.ts";
import { smallKit } from "../model/small_kit.ts";

/** A kit that knows Ann and Ben, has forgotten Cas, and folders of requests. */
async function setUp(folder: string) {
  const key = newIdentityKey();
  const hashes = ["Ann", "Ben"].map((name) => identityHash(key, name)).sort();
  const kit = smallKit(hashes, false);
  await writeKit(join(folder, "kit"), {
    ...kit,
    manifest: {
      ...kit.manifest,
      keyFingerprint: keyFingerprint(key),
      forgotten: [identityHash(key, "Cas")],
    },
  });
  await writeIdentityKey(identityKeyPath(join(folder, "kit")), key);
  // Planning opens no image.
  const image = new Uint8Array([1]);
  const plan = async (names: readonly string[], more = {}) => {
    await Deno.remove(join(folder, "requests"), { recursive: true }).catch(() => {});
    for (const name of names) await writeFiles(folder, { [`requests/${name}.png`]: image });
    return await planUnlearning({
      ...{ kit: join(folder, "kit"), support: join(folder, "requests"), out: join(folder, "out") },
      ...more,
    });
  };
  return { plan, hashes, key };
}

Deno.test("planUnlearning tells the unknown, the forgotten, those not trained on and a wrong key apart", () =>
  inTemporaryFolder(async (folder) => {
    const { plan } = await setUp(folder);
    const refuses = (names: string[], says: string, more = {}) =>
      assertRejects(() => plan(names, more), LetheError, says);
    await refuses(["Ann", "Zoe"], "Zoe.png asks for a person whom the kit does not know");
    await refuses(["Ann", "Cas"], "Cas.png asks for a person whom an earlier request forgot");
    const notTrained = new Set(["Zoe"]);
    await refuses(["Zoe"], "Zoe.png asks for a person whom the model was not trained on", {
      notTrained,
    });
    const other = join(folder, "other.identity-key");
    await writeIdentityKey(other, newIdentityKey());
    await refuses(["Ann"], "was made with the key of fingerprint", { identityKey: other });
  }));

Deno.test("planUnlearning tells a request's own fault of a used kit, too, before it refuses that", () =>
  inTemporaryFolder(async (folder) => {
    const { plan } = await setUp(folder);
    const kit = join(folder, "kit");
    const { id } = await readManifest(kit);
    const use = await beginUse({ kit, id, out: join(folder, "kit") });
    await use.made("2".repeat(64));
    use.done();
    await assertRejects(() => plan(["Ann", "Zoe"]), LetheError, "Zoe.png asks for a person whom");
    await assertRejects(() => plan(["Ann"]), LetheError, "kit has a successor, ");
    assertEquals((await plan(["Ann"], { branch: true })).rows.length, 1);
  }));

Deno.test("planUnlearning serves the rest of a batch where it may skip, lists the others, and refuses to serve nobody", () =>
  inTemporaryFolder(async (folder) => {
    const { plan, hashes, key } = await setUp(folder);
    const more = { skipUnknown: true };
    const { rows, files, skipped } = await plan(["Ann", "Cas", "Zoe"], more);
    assertEquals(rows, [{ file: "Ann.png", row: hashes.indexOf(identityHash(key, "Ann")) }]);
    assertEquals(files, { images: ["Ann.png"], hasCsv: false, partial: true });
    assertEquals(skipped, [
      { file: "Cas.png", why: "asks for a person whom an earlier request forgot" },
      { file: "Zoe.png", why: "asks for a person whom the kit does not know" },
    ]);
    await assertRejects(() => plan(["Cas", "Zoe"], more), LetheError, "(2 skipped)");
  }));

Deno.test("planUnlearning finds the person of each photograph, and tells a name that means two people", () =>
  inTemporaryFolder(async (folder) => {
    const { plan, hashes, key } = await setUp(folder);
    const row = (name: string) => hashes.indexOf(identityHash(key, name));
    const { rows } = await plan(["Ann", "Ann.2", "Ben.1"]);
    assertEquals(rows, [
      { file: "Ann.2.png", row: row("Ann") },
      { file: "Ann.png", row: row("Ann") },
      { file: "Ben.1.png", row: row("Ben") },
    ]);
    await assertRejects(() => plan(["Cas.2"]), LetheError, "whom an earlier request forgot");
    const notTrained = new Set(["Ann.2"]);
    await assertRejects(() => plan(["Ann.2"], { notTrained }), LetheError, "may show Ann.2 or");
  }));

Deno.test("planUnlearning finds the first kit's key beside it, and asks for it by name where a later kit has none", () =>
  inTemporaryFolder(async (folder) => {
    const { plan, key } = await setUp(folder);
    const later = join(folder, "later");
    const kit = smallKit([identityHash(key, "Ann")], false);
    const { id } = await readManifest(join(folder, "kit"));
    await writeKit(later, { ...kit, manifest: { ...kit.manifest, generation: 1, parent: id } });
    await assertRejects(
      () => plan(["Ann"], { kit: later }),
      LetheError,
      "later has no identity key beside it; the key lies beside the first kit",
    );
    const identityKey = join(folder, "kit.identity-key");
    assertEquals((await plan(["Ann"], { kit: later, identityKey })).rows.length, 1);
    // As versions up to this one left them.
    await Deno.copyFile(identityKey, `${later}.identity-key`);
    assertEquals((await plan(["Ann"], { kit: later })).rows.length, 1);
  }));

Deno.test("whileInUse leaves a kit unused whose output's place another run took meanwhile", () =>
  inTemporaryFolder(async (folder) => {
    const { plan } = await setUp(folder);
    const planned = await plan(["Ann"]);
    const kit = join(folder, "kit");
    const { id } = await readManifest(kit);
    const place = async (out: string, next: string) => {
      const options = { kit, support: join(folder, "requests"), out };
      const summary = { kit: { before: id, after: next } } as UnlearnSummary;
      const run = whileInUse(options, planned, async (made) => {
        await made(summary);
        await writeKit(join(out, "kit"), smallKit([], false));
        throw new LetheError(`${out} exists`, "", "");
      });
      await assertRejects(() => run, LetheError, "exists");
      return (await readManifest(join(out, "kit"))).id;
    };
    const other = await place(join(folder, "other"), "3".repeat(64));
    await refuseUsed(kit, id);
    // The control: it failed when its own output had the name already.
    await place(join(folder, "own"), other);
    await assertRejects(() => refuseUsed(kit, id), LetheError, "a successor, ");
  }));
