import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { listTree } from "../../../lib/audit/record/digest_files.ts";
import { unpack, writePack } from "../../../lib/audit/receipt/pack.ts";
import { verifyReceipt } from "../../../lib/audit/verify/verify_receipt.ts";
import { LetheError } from "../../../lib/error.ts";
import { onReceipt } from "../small_run.ts";

/** A pack of the run, laid out in a folder of its own. */
async function handedOver(folder: string): Promise<string> {
  await writePack(join(folder, "unlearned/receipt.json"), join(folder, "run.tar"));
  const received = join(folder, "received");
  await Deno.mkdir(received);
  await unpack(join(folder, "run.tar"), received);
  return received;
}

async function states(receipt: string, more = {}) {
  const { checks } = await verifyReceipt({ receipt, ...more });
  const named = (state: string) =>
    checks.filter((check) => check.state === state).map(({ layer }) => layer);
  return {
    failed: named("failed"),
    held: named("held"),
    details: Object.fromEntries(checks.map(({ layer, detail }) => [layer, detail])),
  };
}

Deno.test("writePack packs the receipt, its page and bundle, the evidence and the model's hashes, and nothing else", () =>
  onReceipt(async (folder, publicKey) => {
    const received = await handedOver(folder);
    assertEquals(await listTree(received), [
      "evidence/permissions.log",
      "evidence/trace.log",
      "model.sha256",
      "receipt.html",
      "receipt.json",
      "receipt.sigstore.json",
    ]);
    const tar = await Deno.readFile(join(folder, "run.tar"));
    await writePack(join(folder, "unlearned/receipt.json"), join(folder, "again.tar"));
    assertEquals(
      await Deno.readFile(join(folder, "again.tar")),
      tar,
      "the same run, the same bytes",
    );

    const renamed = join(folder, "unlearned/renamed.json");
    await Deno.rename(join(folder, "unlearned/receipt.json"), renamed);
    await writePack(renamed, join(folder, "renamed.tar"));
    assertEquals(await Deno.readFile(join(folder, "renamed.tar")), tar);

    const receipt = join(received, "receipt.json");
    const alone = await states(receipt, { publicKey });
    assertEquals(alone.failed, []);
    const due = "signature,layers,weights,change,evidence,page,bundle";
    assertEquals(alone.held.join(), due);
    assertStringIncludes(alone.details.outputs, "none of them is here");

    // With the model alone, apart or beside the receipt.
    const model = join(folder, "unlearned/model");
    const withModel = await states(receipt, { publicKey, model });
    assertStringIncludes(
      withModel.details.outputs,
      "2 files are those that were written; the others of 7",
    );
    await Deno.rename(model, join(received, "model"));
    assertEquals((await states(receipt, { publicKey })).held.includes("outputs"), true);
    await Deno.writeTextFile(join(received, "model/config.json"), "{}");
    assertEquals((await states(receipt, { publicKey })).failed, ["outputs"]);
    await Deno.remove(join(received, "model"), { recursive: true });
    await Deno.writeTextFile(join(received, "model.sha256"), "0  model/config.json\n");
    assertEquals((await states(receipt, { publicKey })).failed, ["outputs"]);
  }));

Deno.test(
  "writePack makes an archive that tar opens",
  { ignore: !await canTar() },
  () =>
    onReceipt(async (folder) => {
      await writePack(join(folder, "unlearned/receipt.json"), join(folder, "run.tar"));
      const list = await new Deno.Command("tar", { args: ["tf", join(folder, "run.tar")] })
        .output();
      const names = new TextDecoder().decode(list.stdout).trim().split("\n");
      assertEquals(names.length, 6);
      assertEquals([names[0], names.at(-1)], ["receipt.json", "model.sha256"]);
    }),
);

async function canTar(): Promise<boolean> {
  return await new Deno.Command("tar", { args: ["--version"], stdout: "null", stderr: "null" })
    .output().then(({ success }) => success, () => false);
}

Deno.test("unpack lays out nothing that a pack does not hold", () =>
  onReceipt(async (folder) => {
    await writePack(join(folder, "unlearned/receipt.json"), join(folder, "run.tar"));
    const tar = await Deno.readFile(join(folder, "run.tar"));
    const refuses = async (change: (bytes: Uint8Array) => Uint8Array, says: string) => {
      await Deno.writeFile(join(folder, "bad.tar"), change(tar.slice()));
      const target = join(folder, `${crypto.randomUUID()}`);
      await Deno.mkdir(target);
      await assertRejects(() => unpack(join(folder, "bad.tar"), target), LetheError, says);
    };
    const named = (name: string) => (bytes: Uint8Array) => {
      bytes.fill(0, 0, 100);
      bytes.set(new TextEncoder().encode(name));
      return bytes;
    };
    await refuses(named("../receipt.json"), "it holds");
    await refuses(named("/etc/passwd"), "it holds");
    await refuses(named("evidence/../x.log"), "it holds");
    await refuses(named("receipt.html"), "twice");
    await refuses(named("model.sha256"), "twice");
    await refuses((bytes) => (bytes[156] = "2".charCodeAt(0), bytes), "no plain file");
    await refuses((bytes) => bytes.subarray(0, 700), "cut short");
    // Where other readers of tar would find more, or something could lie that none of them shows.
    const more = "bytes that audit --pack does not write";
    await refuses((bytes) => new Uint8Array([...bytes, ...bytes]), more);
    await refuses((bytes) => (bytes[bytes.length - 1] = 1, bytes), more);
    await refuses((bytes) => (bytes[265] = "x".charCodeAt(0), bytes), more);
    await refuses((bytes) => bytes.subarray(0, -1024), more);
    await refuses(() => new Uint8Array(1024), "holds no receipt.json");
    await refuses(() => new TextEncoder().encode("{}".repeat(600)), "no plain file");
  }));
