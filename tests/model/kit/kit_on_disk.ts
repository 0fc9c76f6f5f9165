import { join } from "@std/path";
import { identityHash, newIdentityKey } from "../../../lib/model/kit/identity_key.ts";
import type { Kit } from "../../../lib/model/kit/kit.ts";
import { writeKit } from "../../../lib/model/kit/write_kit.ts";
import { encodeManifest, type KitManifest } from "../../../lib/model/kit/kit_manifest.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";

/** Whom the kits of these tests know. */
export const PEOPLE = ["Ada Lovelace", "4711", "Zoë"];
/** What a kit holds in their place. */
export const HASHES = ((key) => PEOPLE.map((person) => identityHash(key, person)))(
  newIdentityKey(),
);

/** Runs a test on a kit that lies on the disk. */
export function onKit(kit: Kit, test: (folder: string) => Promise<void>): Promise<void> {
  return inTemporaryFolder(async (folder) => {
    await writeKit(join(folder, "kit"), kit);
    await test(join(folder, "kit"));
  });
}

/** Rewrites kit.json. */
export async function changeManifest(folder: string, change: (manifest: KitManifest) => unknown) {
  const path = join(folder, "kit.json");
  const { id: _, ...manifest } = JSON.parse(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, encodeManifest(change(manifest) as KitManifest).text);
}
