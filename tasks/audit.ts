import { AUDIT_OPTIONS, withoutSupport } from "../cli/audit/audit_options.ts";
import { checkChain } from "../cli/audit/check_chain.ts";
import { check } from "../cli/audit/check.ts";
import { watch } from "../cli/audit/watch.ts";
import { command } from "../cli/command/command.ts";
import { mainContained } from "../cli/command/contained_main.ts";
import { newSigningKey } from "../lib/audit/receipt/signing_key.ts";

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
  async run({ newKey, verify, support, chain, ...options }, terminal) {
    if (newKey !== undefined) {
      terminal.print(`${newKey} signs; ${newKey}.pub (${await newSigningKey(newKey)}) verifies`);
      return;
    }
    if (chain !== undefined) return await checkChain(chain, options, terminal);
    if (verify !== undefined) return await check(verify, support, options, terminal);
    if (support === undefined) throw withoutSupport("audit");
    return await watch(support, options, terminal);
  },
});

if (import.meta.main) await mainContained(audit, "tasks/audit.ts");
