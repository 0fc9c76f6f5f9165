import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { readMakingReceipt } from "../../../lib/audit/receipt/making_receipt.ts";
import { readPack } from "../../../lib/audit/receipt/pack.ts";
import { encodeReceipt, readReceipt } from "../../../lib/audit/receipt/receipt_file.ts";
import { sealReceipt } from "../../../lib/audit/receipt/seal.ts";
import { readClaim } from "../../../lib/audit/verify/read_claim.ts";
import { LetheError } from "../../../lib/error.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";
import { smallReceipt } from "../small_receipt.ts";

const INTACT = encodeReceipt(await sealReceipt(smallReceipt(), null));

/** The exit code of what `readClaim` throws for a file of this content; 0 where it reads. */
async function exitCode(
  content: string | null,
  read: (path: string) => Promise<unknown> = readReceipt,
): Promise<number | undefined> {
  let code: number | undefined;
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "handed-in");
    if (content !== null) await Deno.writeTextFile(path, content);
    code = await readClaim(path, read).then(() => 0, ({ exitCode }: LetheError) => exitCode);
  });
  return code;
}

Deno.test("readClaim says that the audit failed, whatever way a receipt no longer reads", async () => {
  assertEquals(await exitCode(INTACT), 0);
  for (
    const altered of [
      "",
      "[]",
      "no JSON",
      INTACT.slice(0, -20),
      INTACT.replace('"nonce"', '"nonces"'),
      INTACT.replace('"version": 2', '"version": 0'),
      INTACT.replace(/"sha256": "1/, '"sha256": "G'),
      INTACT.replace('"people"', '"__proto__"').replace("{", '{ "more": 1,'),
      "\ufffd\u0000",
    ]
  ) assertEquals(await exitCode(altered), 3, altered.slice(0, 60));
  assertEquals(await exitCode(INTACT, readMakingReceipt), 3);
  assertEquals(await exitCode(INTACT, readPack), 3);
});

Deno.test("readClaim leaves a missing file, a folder and a newer Lethe's receipt what they are", async () => {
  assertEquals(await exitCode(null), 1);
  assertEquals(await exitCode(INTACT.replace('"version": 2', '"version": 3')), 1);
  await inTemporaryFolder(async (folder) => {
    const error = await assertRejects(() => readClaim(folder, readReceipt), LetheError);
    assertEquals(error.exitCode, 1);
  });
});
