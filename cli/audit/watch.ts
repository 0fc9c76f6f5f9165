import { join } from "@std/path";
import { RECEIPT_FILE } from "../../lib/audit/receipt/receipt.ts";
import { unlearnWithReceipt } from "../../lib/audit/receipt/unlearn_with_receipt.ts";
import { whileMaking } from "../../lib/files/kept_when_interrupted.ts";
import type { Terminal } from "../output/terminal.ts";
import { noteOnCheck } from "../unlearn/note_on_check.ts";
import { noteOnPhotographs } from "../unlearn/note_on_photographs.ts";
import { printUnlearned } from "../unlearn/print_unlearned.ts";
import { unlearnOptions } from "../unlearn/run_options.ts";
import type { AuditOptions } from "./audit_options.ts";
import { makePack, refusePack } from "./make_pack.ts";
import { printLayers } from "./print_layers.ts";

/** `audit --support`: unlearns under watch. @returns the exit code */
export async function watch(
  support: string,
  { trainingData, pack, ...options }: AuditOptions,
  terminal: Terminal,
): Promise<number> {
  using _told = whileMaking(options.out); // from here on, though it is claimed later
  if (pack !== undefined) await refusePack(pack);
  const run = await unlearnOptions(support, options, terminal);
  await noteOnCheck(run, terminal);
  const done = await unlearnWithReceipt({
    ...run,
    evidence: true,
    launcher: "tasks/audit.ts",
    ...(trainingData === undefined ? {} : { trainingData }),
  });
  const failed = printLayers(done.receipt.layers, terminal);
  printUnlearned(run, done, terminal);
  if (pack !== undefined) await makePack(join(run.out, RECEIPT_FILE), pack, terminal);
  await noteOnPhotographs(support, done.receipt, terminal);
  return failed ? 3 : 0;
}
