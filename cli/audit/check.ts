import { dirname, join } from "@std/path";
import { runChecks } from "../../lib/audit/layers/checks.ts";
import { confirmationPage, photographsOf } from "../../lib/audit/receipt/confirmation_page.ts";
import { isPackName, unpack } from "../../lib/audit/receipt/pack.ts";
import { EVIDENCE_FOLDER, RECEIPT_FILE } from "../../lib/audit/receipt/receipt.ts";
import { readReceipt } from "../../lib/audit/receipt/receipt_file.ts";
import { readPublicKey } from "../../lib/audit/receipt/signing_key.ts";
import { digestFile } from "../../lib/audit/record/digest_files.ts";
import { launcherCache } from "../../lib/audit/sandbox/launcher_cache.ts";
import { temporaryFolder } from "../../lib/audit/sandbox/run_folder.ts";
import { readClaim } from "../../lib/audit/verify/read_claim.ts";
import { rerun } from "../../lib/audit/verify/rerun.ts";
import { verifyProgram } from "../../lib/audit/verify/verify_program.ts";
import { verifyReceipt } from "../../lib/audit/verify/verify_receipt.ts";
import { LetheError, UsageError } from "../../lib/error.ts";
import { lastStep } from "../../lib/files/finish_before_exit.ts";
import { withTemporaryPath } from "../../lib/files/temporary_path.ts";
import { refuseExisting, writeWhole } from "../../lib/files/write_whole.ts";
import { checkInput } from "../command/inputs.ts";
import { nonceOf, unlearnOptions } from "../unlearn/run_options.ts";
import type { Terminal } from "../output/terminal.ts";
import type { AuditOptions } from "./audit_options.ts";
import { makePack, refusePack } from "./make_pack.ts";
import { printLayers } from "./print_layers.ts";

/** `audit --verify`: a receipt or a pack, and its run repeated where that is asked for. @returns the exit code */
export async function check(
  path: string,
  support: string | undefined,
  options: AuditOptions,
  terminal: Terminal,
): Promise<number> {
  const { packages } = options;
  if (packages !== undefined && packages !== "fetch") {
    await checkInput("--packages", packages, "packages");
  }
  if (options.confirm !== undefined) await refuseExisting(options.confirm);
  if (options.pack !== undefined) await refusePack(options.pack);
  if (!isPackName(path)) {
    await needEvidence(path);
    return await checkReceipt(path, support, options, terminal);
  }
  const folder = await temporaryFolder("lethe-pack-", await launcherCache());
  return await withTemporaryPath(folder, async () => {
    await readClaim(path, () => unpack(path, folder));
    try {
      return await checkReceipt(join(folder, RECEIPT_FILE), support, options, terminal);
    } catch (error) {
      throw error instanceof LetheError ? inPack(error, folder, path) : error;
    }
  });
}

/**
 * A receipt that was handed on by itself has not failed: what it names was not brought along. A pack is
 * whole, so there a log that is missing was taken out.
 */
async function needEvidence(path: string): Promise<void> {
  const { evidence } = await readClaim(path, readReceipt);
  const folder = join(dirname(path), EVIDENCE_FOLDER);
  if (evidence.length === 0 || await Deno.lstat(folder).then(() => true, () => false)) return;
  throw new UsageError(
    `${folder} does not exist`,
    `${path} names ${evidence.length} logs that the run left there`,
    "bring the folder along, or ask for a pack (audit --verify .. --pack FILE.tar)",
  );
}

/** An error about a pack's file, by the pack's name: the folder that it lay in for a while is gone. */
function inPack(
  { value, rule, remedy, exitCode, cause }: LetheError,
  folder: string,
  pack: string,
) {
  const told = [value, rule, remedy].map((text) => text.replaceAll(`${folder}/`, `${pack}: `));
  return new LetheError(told[0], told[1], told[2], { exitCode, cause });
}

async function checkReceipt(
  path: string,
  support: string | undefined,
  { key, packages, pack, model, confirm, photograph, rerun: again, ...options }: AuditOptions,
  terminal: Terminal,
): Promise<number> {
  const run = again ? await unlearnOptions(support!, options, terminal) : null;
  const kit = run?.kit ?? options.kit;
  const { receipt, checks } = await verifyReceipt({
    receipt: path,
    ...(model === undefined ? {} : { model }),
    ...(key === undefined ? {} : { publicKey: await readPublicKey(key) }),
    ...(options.split === undefined ? {} : { split: options.split }),
    ...(options.nonce === undefined ? {} : { nonce: nonceOf(options.nonce) }),
    ...(kit === undefined ? {} : { kit }),
    ...(support === undefined ? {} : { support }),
    ...(options.identityKey === undefined ? {} : { identityKey: options.identityKey }),
  });
  const outcomes = [...checks, ...await verifyProgram(receipt, packages)];
  if (run !== null) {
    const apart = model === undefined ? {} : { model };
    const repeat = () => rerun(receipt, { ...run, ...apart, receiptPath: path });
    outcomes.push(...await runChecks([["rerun", repeat]]));
  }
  if (printLayers(outcomes, terminal)) return 3;
  if (pack !== undefined) await makePack(path, pack, terminal);
  if (confirm !== undefined) {
    const hashes = await photographsOf(receipt, photograph!);
    const page = confirmationPage(receipt, (await digestFile(path)).sha256, hashes);
    await lastStep(async () => {
      await writeWhole(confirm, page);
      terminal.print(`${confirm} confirms to one person that they were served`);
    });
  }
  return 0;
}
