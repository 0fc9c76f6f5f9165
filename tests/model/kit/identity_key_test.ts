import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { LetheError } from "../../../lib/error.ts";
import {
  identityHash,
  identityKeyPath,
  newIdentityKey,
  readIdentityKey,
  writeIdentityKey,
} from "../../../lib/model/kit/identity_key.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";

const KEY = "00112233445566778899aabbccddeeff".repeat(2);

Deno.test("identityHash is an HMAC-SHA256 that WebCrypto agrees with", async () => {
  const key = await crypto.subtle.importKey(
    "raw",
    Uint8Array.fromHex(KEY),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const message = new TextEncoder().encode("lethe identity\0Zoë");
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
  assertEquals(identityHash(KEY, "Zoë"), signature.toHex());
});

Deno.test("identityHash differs by key and by person, not by Unicode form", () => {
  assertNotEquals(identityHash(KEY, "4711"), identityHash(newIdentityKey(), "4711"));
  assertNotEquals(identityHash(KEY, "4711"), identityHash(KEY, "4712"));
  assertEquals(identityHash(KEY, "Zoe\u0308"), identityHash(KEY, "Zo\u00eb"));
});

Deno.test("identityKeyPath lies beside the kit", () => {
  for (const kit of ["runs/kit", "runs/kit/", "runs/kit//", "./runs/kit/."]) {
    assertEquals(identityKeyPath(kit), "runs/kit.identity-key");
  }
  // Beside the folder that one stands in, not within it.
  assertEquals(identityKeyPath("."), `${Deno.cwd()}.identity-key`);
});

Deno.test("readIdentityKey gives back what writeIdentityKey wrote for this user only", async () => {
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "not yet", "kit.identity-key");
    const key = newIdentityKey();
    await writeIdentityKey(path, key);
    assertEquals(await readIdentityKey(path), key);
    if (Deno.build.os !== "windows") assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  });
});

Deno.test("writeIdentityKey never replaces a key", async () => {
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "key");
    await writeIdentityKey(path, KEY);
    await assertRejects(() => writeIdentityKey(path, newIdentityKey()), LetheError, "exists");
    assertEquals(await readIdentityKey(path), KEY);
  });
});

Deno.test("readIdentityKey refuses a file that holds no key, without repeating it", async () => {
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "key");
    await assertRejects(() => readIdentityKey(path), LetheError, "key does not exist");
    for (const text of ["", KEY.slice(1), KEY.toUpperCase() + "0", `${KEY}${KEY}`]) {
      await Deno.writeTextFile(path, text);
      const error = await assertRejects(() => readIdentityKey(path), LetheError, "no identity key");
      assert(text === "" || !error.message.includes(text));
    }
  });
});
