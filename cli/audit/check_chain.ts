import { readPublicKey } from "../../lib/audit/receipt/signing_key.ts";
import { verifyChain } from "../../lib/audit/verify/verify_chain.ts";
import { UsageError } from "../../lib/error.ts";
import type { Terminal } from "../output/terminal.ts";
import type { AuditOptions } from "./audit_options.ts";
import { needOrder } from "./chain_order.ts";
import { printLayers } from "./print_layers.ts";

/** `audit --chain`: verifies a chain of receipts. @returns the exit code */
export async function checkChain(
  chain: readonly string[],
  { key, split }: AuditOptions,
  terminal: Terminal,
): Promise<number> {
  if (chain.length < 2) {
    throw new UsageError(
      `--chain ${chain.join(",")}`,
      "it begins with the receipts of a model and of its kit",
      "for example --chain model.receipt.json,kit.receipt.json,unlearned/receipt.json",
    );
  }
  await needOrder(chain);
  const publicKey = key === undefined ? undefined : await readPublicKey(key);
  return printLayers(await verifyChain(chain, publicKey, split), terminal) ? 3 : 0;
}
