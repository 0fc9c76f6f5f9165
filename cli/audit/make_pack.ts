import { isPackName, writePack } from "../../lib/audit/receipt/pack.ts";
import { UsageError } from "../../lib/error.ts";
import { lastStep } from "../../lib/files/finish_before_exit.ts";
import { refuseExisting } from "../../lib/files/write_whole.ts";
import type { Terminal } from "../output/terminal.ts";

/** Before any work: a pack has its own ending, and overwrites nothing. */
export async function refusePack(pack: string): Promise<void> {
  if (!isPackName(pack)) {
    throw new UsageError(`--pack ${pack}`, "a pack is a tar archive", "let its name end in .tar");
  }
  await refuseExisting(pack);
}

/** Packs what an auditor gets, and says so. */
export async function makePack(receipt: string, pack: string, terminal: Terminal): Promise<void> {
  await lastStep(async () => {
    const files = await writePack(receipt, pack);
    terminal.print(`${pack} holds ${files.join(", ")}; hand it to the auditor`);
  });
}
