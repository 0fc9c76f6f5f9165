import { join } from "@std/path";
import type { IdentityKey } from "../../model/kit/identity_key.ts";
import { composeReceipt, type LauncherGraph, runRedactor } from "./compose_receipt.ts";
import type { ContainedRun } from "../sandbox/contained_run.ts";
import { digestFile, digestFiles, listTree } from "../record/digest_files.ts";
import type { LayerOutcome } from "../layers/layer.ts";
import {
  type Digest,
  EVIDENCE_FOLDER,
  type FileDigest,
  type Receipt,
  RECEIPT_BUNDLE,
  RECEIPT_FILE,
  RECEIPT_PAGE,
} from "./receipt.ts";
import { PROJECT } from "../layers/module_graph.ts";
import { commitOf } from "../record/commit.ts";
import { encodeReceipt } from "./receipt_file.ts";
import { receiptBundle, sealReceipt } from "./seal.ts";
import { receiptPage } from "./receipt_page.ts";
import type { Place } from "../record/redact.ts";
import type { SigningKey } from "./signing_key.ts";

/** The evidence, below the output folder. */
export const PERMISSIONS_LOG = `${EVIDENCE_FOLDER}/permissions.log`;
export const TRACE_LOG = `${EVIDENCE_FOLDER}/trace.log`;

/** What {@link writeReceipt} needs besides the run. */
export interface ReceiptOptions {
  /** Null: the receipt is left unsigned, and says so. */
  readonly signingKey: SigningKey | null;
  /** Layers judged outside the run. */
  readonly layers: readonly LayerOutcome[];
  readonly launcher: LauncherGraph;
  readonly identityKey: IdentityKey;
  /** The split that `copies` was judged by. */
  readonly split: Digest | null;
  /** `--nonce`. */
  readonly auditorNonce?: string;
  /** Places whose paths may name people, such as the project's and the package cache's. */
  readonly places: readonly Place[];
}

/** A trace cuts long arguments short, and so paths that it names; the receipt has them whole. */
function withoutArguments(trace: string): string {
  return trace.replaceAll(/(\bexecve\("(?:\\.|[^"\\\n])*", )\[.*?\](?=, )/g, "$1[..]");
}

/** What lies in the folder, by hash; the worker's files were hashed when they were checked. */
async function writtenFiles(folder: string, run: ContainedRun): Promise<FileDigest[]> {
  const known = new Map(
    run.written.map(({ path, ...digest }) => [path, { file: path, ...digest }]),
  );
  const files = (await listTree(folder)).filter((file) => !file.startsWith(`${EVIDENCE_FOLDER}/`));
  const digests = files.map(async (file) =>
    known.get(file) ?? { file, ...await digestFile(join(folder, file)) }
  );
  return await Promise.all(digests);
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
  const evidence: string[] = [];
  for (
    const [file, log] of [[PERMISSIONS_LOG, run.permissionLog], [TRACE_LOG, run.trace]] as const
  ) {
    if (log === null) continue;
    await Deno.mkdir(join(folder, EVIDENCE_FOLDER), { recursive: true });
    await Deno.writeTextFile(join(folder, file), redact(withoutArguments(log.text)));
    evidence.push(file);
  }
  const receipt = await sealReceipt(
    composeReceipt(run, {
      layers: options.layers,
      launcher: options.launcher,
      identityKey: options.identityKey,
      split: options.split,
      commit: await commitOf(PROJECT),
      auditorNonce: options.auditorNonce ?? null,
      written: await writtenFiles(folder, run),
      evidence: await digestFiles(folder, evidence),
    }, redact),
    options.signingKey,
  );
  await Deno.writeTextFile(join(folder, RECEIPT_FILE), encodeReceipt(receipt));
  const bundle = receiptBundle(receipt);
  if (bundle !== null) await Deno.writeTextFile(join(folder, RECEIPT_BUNDLE), bundle);
  await Deno.writeTextFile(join(folder, RECEIPT_PAGE), receiptPage(receipt));
  return receipt;
}
