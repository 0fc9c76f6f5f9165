import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  isSignedBy,
  newSigningKey,
  readPublicKey,
  readSigningKey,
  sign,
} from "../../../lib/audit/receipt/signing_key.ts";
import { LetheError, UsageError } from "../../../lib/error.ts";
import { needing, runs } from "../../machine.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";

const MESSAGE = new TextEncoder().encode("message");

Deno.test("newSigningKey writes a pair of which the private half is this user's alone", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "new/key");
    const publicKey = await newSigningKey(path);
    assertMatch(publicKey, /^[0-9a-f]{64}$/);
    assertEquals((await readSigningKey(path)).publicKey, publicKey);
    assertEquals(await readPublicKey(`${path}.pub`), publicKey);
    if (Deno.build.os !== "windows") assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    const text = await Deno.readTextFile(`${path}.pub`);
    assert(text.startsWith("-----BEGIN PUBLIC KEY-----\n"));
  }));

Deno.test("newSigningKey replaces neither half of an old pair", () =>
  inTemporaryFolder(async (folder) => {
    for (const half of ["key", "key.pub"]) {
      await Deno.writeTextFile(join(folder, half), "old");
      await assertRejects(() => newSigningKey(join(folder, "key")), LetheError, `${half} exists`);
      assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), [half]);
      assertEquals(await Deno.readTextFile(join(folder, half)), "old");
      await Deno.remove(join(folder, half));
    }
  }));

Deno.test("isSignedBy accepts a key's own signature of these bytes and no other", () =>
  inTemporaryFolder(async (folder) => {
    const [path, other] = [join(folder, "key"), join(folder, "other")];
    const [publicKey, stranger] = [await newSigningKey(path), await newSigningKey(other)];
    const signature = await sign(await readSigningKey(path), MESSAGE);
    assert(await isSignedBy(publicKey, signature, MESSAGE));
    assert(!await isSignedBy(stranger, signature, MESSAGE));
    assert(!await isSignedBy(publicKey, signature, MESSAGE.subarray(1)));
    const flipped = (signature[0] === "0" ? "1" : "0") + signature.slice(1);
    assert(!await isSignedBy(publicKey, flipped, MESSAGE));
    assert(!await isSignedBy(publicKey, signature.slice(2), MESSAGE));
    assert(!await isSignedBy("ff".repeat(32), signature, MESSAGE));
  }));

Deno.test("readSigningKey refuses a key that others may read", {
  ignore: Deno.build.os === "windows",
}, () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "key");
    await newSigningKey(path);
    for (const mode of [0o640, 0o604, 0o620]) {
      await Deno.chmod(path, mode);
      await assertRejects(() => readSigningKey(path), LetheError, `has mode ${mode.toString(8)}`);
    }
    await Deno.chmod(path, 0o400);
    await readSigningKey(path);
  }));

Deno.test("readSigningKey and readPublicKey refuse what is no such key, without repeating it", () =>
  inTemporaryFolder(async (folder) => {
    const [path, broken] = [join(folder, "key"), join(folder, "broken")];
    await newSigningKey(path);
    const [secret, open] = [await Deno.readTextFile(path), await Deno.readTextFile(`${path}.pub`)];
    const body = secret.split("\n")[1];
    for (const text of ["", body, open, secret + secret, secret.replace(body, body.slice(4))]) {
      await Deno.writeTextFile(broken, text, { mode: 0o600 });
      await Deno.chmod(broken, 0o600);
      const error = await assertRejects(() => readSigningKey(broken), LetheError, "no private key");
      assert(!error.message.includes(body.slice(-20)));
    }
    await assertRejects(() => readPublicKey(path), UsageError, `name ${path}.pub`);
    for (const text of ["", body, open.replace("MCow", "MCox"), open + open]) {
      await Deno.writeTextFile(broken, text);
      await assertRejects(() => readPublicKey(broken), LetheError, "holds no public key");
    }
  }));

const verified = "sign writes what OpenSSL verifies with the .pub file";

Deno.test(
  needing("OpenSSL", await runs("openssl", "version"), verified),
  () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, "key");
      await newSigningKey(path);
      await Deno.writeFile(join(folder, "message"), MESSAGE);
      const signature = await sign(await readSigningKey(path), MESSAGE);
      await Deno.writeFile(join(folder, "signature"), Uint8Array.fromHex(signature));
      const args = [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "key.pub",
        "-rawin",
        "-in",
        "message",
      ];
      const { success } = await new Deno.Command("openssl", {
        args: [...args, "-sigfile", "signature"],
        cwd: folder,
      }).output();
      assert(success);
    }),
);
