import { AUDIT_OPTIONS, auditUsage } from "../cli/audit/audit_options.ts";
import { command } from "../cli/command/command.ts";
import { mainContained } from "../cli/command/contained_main.ts";
import { lastStep } from "../lib/files/finish_before_exit.ts";

/** `deno task audit`: unlearning under watch; or a receipt verified; or a key to sign with. */
export const audit = command({
  name: "audit",
  summary: "unlearns under watch and shows which layer of the proof held; verifies receipts",
  options: AUDIT_OPTIONS,
  examples: [
    "deno task audit --support ./requests --training-data ./data --split split.json",
    "deno task audit --new-key lethe.signing-key",
    "deno task audit --verify unlearned/receipt.json --key lethe.signing-key.pub",
    "deno task audit --verify unlearned/receipt.json --pack unlearned.tar",
    "deno task audit --verify unlearned.tar --model ./model --key lethe.signing-key.pub",
    "deno task audit --verify unlearned.tar --confirm 4711.html --photograph requests/4711.jpg",
    "deno task audit --chain model.receipt.json,kit.receipt.json,unlearned/receipt.json",
    "deno task audit --verify unlearned/receipt.json --rerun --support ./requests --kit ./kit",
  ],
  usage: auditUsage,
  // Each way is loaded when it is taken: what the options alone decide is answered before.
  async run({ newKey, verify, support, chain, ...options }, terminal) {
    if (newKey !== undefined) {
      const { newSigningKey } = await import("../lib/audit/receipt/signing_key.ts");
      return await lastStep(async () => {
        terminal.print(`${newKey} signs; ${newKey}.pub (${await newSigningKey(newKey)}) verifies`);
      });
    }
    if (chain !== undefined) {
      const { checkChain } = await import("../cli/audit/check_chain.ts");
      return await checkChain(chain, options, terminal);
    }
    if (verify !== undefined) {
      const { check } = await import("../cli/audit/check.ts");
      return await check(verify, support, options, terminal);
    }
    const { watch } = await import("../cli/audit/watch.ts");
    return await watch(support!, options, terminal); // else it was refused above
  },
});

if (import.meta.main) await mainContained(audit, "tasks/audit.ts");
