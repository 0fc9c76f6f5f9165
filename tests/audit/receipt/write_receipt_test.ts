import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { join } from "@std/path";
import { composeReceipt } from "../../../lib/audit/receipt/compose_receipt.ts";
import { listTree } from "../../../lib/audit/record/digest_files.ts";
import { readReceipt } from "../../../lib/audit/receipt/receipt_file.ts";
import { sha256Hex } from "../../../lib/files/sha256.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";
import { hash } from "../small_receipt.ts";
import { onReceipt, smallRun } from "../small_run.ts";

const RECEIPT = "unlearned/receipt.json";

Deno.test("writeReceipt lists requests by hash, and every file that was written", () =>
  onReceipt(async (folder, publicKey) => {
    const receipt = await readReceipt(join(folder, RECEIPT));
    const hashes = ["one", "two"].map((text) => sha256Hex(new TextEncoder().encode(text)));
    assertEquals(receipt.requests.map(({ sha256 }) => sha256), hashes.toSorted());
    const csv = await Deno.readFile(join(folder, "requests/requests.csv"));
    assertMatch(receipt.requestTable!, /^[0-9a-f]{64}$/);
    assertNotEquals(receipt.requestTable, sha256Hex(csv), "names could be tried against it");
    assertEquals(receipt.kit.map(({ file }) => file), [
      "config.json",
      "kit.json",
      "meta_loss.safetensors",
      "model.safetensors",
    ]);
    assertEquals(receipt.written.map(({ file }) => file), [
      "kit/config.json",
      "kit/kit.json",
      "kit/meta_loss.safetensors",
      "kit/model.safetensors",
      "model/config.json",
      "model/model.safetensors",
      "summary.json",
    ]);
    assertEquals(receipt.code.map(({ file }) => file), ["lib/error.ts", "mod.ts"]);
    assertEquals(receipt.layers.map(({ layer }) => layer), [
      "inputs",
      "operating system",
      "copies",
    ]);
    assertEquals(receipt.signer, publicKey);
    assertEquals(await listTree(join(folder, "unlearned/evidence")), [
      "permissions.log",
      "trace.log",
    ]);
  }));

Deno.test("composeReceipt lists every request that was read, whatever its name begins with or has in it", () =>
  inTemporaryFolder(async (folder) => {
    const run = await smallRun(folder);
    const names = ["..a.png", "a:b.png", "\\\\a.png", "b\\c.png"]
      .filter((name) => Deno.build.os !== "windows" || name.startsWith("."));
    const odd = names.map((name, i) => ({
      path: `${run.paths.support}/${name}`,
      sha256: hash(String(i)),
      bytes: 1,
    }));
    const beside = { path: `${run.paths.support}-2/a.png`, sha256: hash("9"), bytes: 1 };
    const { requests, kit } = composeReceipt({ ...run, read: [...odd, beside] }, {
      ...{ layers: [], written: [], evidence: [], identityKey: hash("9"), split: null },
      ...{ commit: null, auditorNonce: null },
      launcher: { entry: "tasks/unlearn.ts", code: [], packages: [] },
    }, (text) => text);
    assertEquals(requests.map(({ sha256 }) => sha256), odd.map(({ sha256 }) => sha256));
    assertEquals(kit, []);
  }));

Deno.test("writeReceipt names nobody: neither in the receipt, nor in the page, nor in the evidence", () =>
  onReceipt(async (folder) => {
    const files = [RECEIPT, "unlearned/receipt.html", "unlearned/evidence/permissions.log"];
    for (const file of [...files, "unlearned/evidence/trace.log"]) {
      const text = await Deno.readTextFile(join(folder, file));
      for (const name of ["Jane", "Doe", "Zoë", "Zo\\", "Zo%", "Album", folder, "secret"]) {
        assert(!text.includes(name), `${file} holds ${name}`);
      }
    }
    const [jane, zoe] = ["one", "two"].map((text) =>
      sha256Hex(new TextEncoder().encode(text)).slice(0, 16)
    );
    assertEquals(
      await Deno.readTextFile(join(folder, "unlearned/evidence/permissions.log")),
      `{"v":1,"permission":"read","value":"{support}/${jane}"}\n` +
        '{"v":1,"permission":"read","value":"{kit}/kit.json"}\n',
    );
    assertEquals(
      await Deno.readTextFile(join(folder, "unlearned/evidence/trace.log")),
      '7 execve("{deno}", [..], 0x0) = 0\n' +
        `7 openat(AT_FDCWD</>, "{support}/${zoe}", O_RDONLY|O_CLOEXEC) = 3<{support}/${zoe}>\n` +
        '7 openat(AT_FDCWD</>, "{training data}/..", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)\n',
    );
    const { worker, layers } = await readReceipt(join(folder, RECEIPT));
    const named = [jane, zoe, "requests.csv"].map((file) => `{support}/${file}`);
    const read = ["{run}/job.json", ...named, "{kit}", "{out}"].join();
    assertEquals(worker.permissions.slice(-2), [`--allow-read=${read}`, "--allow-write={out}"]);
    assertEquals(worker.argv.at(-2), "{project}/lib/audit/sandbox/unlearn_worker.ts");
    assertEquals([worker.environment.HOME, worker.environment.DENO_DIR], ["{run}", "{packages}"]);
    assertEquals(layers[0].detail, "{support} holds no link");
  }));
