import { join } from "@std/path";
import { identityKeyPath } from "../model/identity_key.ts";
import { composeReceipt, runRedactor } from "./compose_receipt.ts";
import type { ContainedRun } from "./contained_run.ts";
import { digestFiles, listTree } from "./digest_files.ts";
import type { LayerOutcome } from "./layer.ts";
import {
  EVIDENCE_FOLDER,
  type FileDigest,
  type Receipt,
  RECEIPT_FILE,
  RECEIPT_PAGE,
} from "./receipt.ts";
import { encodeReceipt, sealReceipt } from "./receipt_file.ts";
import { receiptPage } from "./receipt_page.ts";
import type { Place } from "./redact.ts";
import type { SigningKey } from "./signing_key.ts";

/** The next kit's key: it lies in the output folder, but no receipt speaks of it. */
export const NEXT_KEY = identityKeyPath("kit");

/** What {@link writeReceipt} needs besides the run. */
export interface ReceiptOptions {
  /** Null: the receipt is left unsigned, and says so. */
  readonly signingKey: SigningKey | null;
  /** Layers judged outside the run. */
  readonly layers: readonly LayerOutcome[];
  /** Modules of the launcher's graph. */
  readonly code: readonly FileDigest[];
  /** Places whose paths may name people, such as the project's and the package cache's. */
  readonly places: readonly Place[];
}

/**
 * Adds evidence, `receipt.json` and `receipt.html` to a run's outputs. It is the last to write there.
 *
 * @param folder the outputs, perhaps not at their own name yet
 */
export async function writeReceipt(
  folder: string,
  run: ContainedRun,
  options: ReceiptOptions,
): Promise<Receipt> {
  const redact = runRedactor(run, [["{out}", folder], ...options.places]);
  const written = (await listTree(folder)).filter((file) => file !== NEXT_KEY);
  const evidence: string[] = [];
  for (const [name, log] of [["permissions", run.permissionLog], ["trace", run.trace]] as const) {
    if (log === null) continue;
    await Deno.mkdir(join(folder, EVIDENCE_FOLDER), { recursive: true });
    const file = `${EVIDENCE_FOLDER}/${name}.log`;
    await Deno.writeTextFile(join(folder, file), redact(log.text));
    evidence.push(file);
  }
  const receipt = await sealReceipt(
    composeReceipt(run, {
      layers: options.layers,
      code: options.code,
      written: await digestFiles(folder, written),
      evidence: await digestFiles(folder, evidence),
    }, redact),
    options.signingKey,
  );
  await Deno.writeTextFile(join(folder, RECEIPT_FILE), encodeReceipt(receipt));
  await Deno.writeTextFile(join(folder, RECEIPT_PAGE), receiptPage(receipt));
  return receipt;
}
