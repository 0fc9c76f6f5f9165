import type { UnlearnWithReceiptOptions } from "../../lib/audit/receipt/unlearn_with_receipt.ts";
import { readMemoryIndex } from "../../lib/model/kit/read_memory_index.ts";
import { readManifest } from "../../lib/model/kit/stored_manifest.ts";
import { methodOf } from "../../lib/unlearn/methods.ts";
import type { Terminal } from "../output/terminal.ts";

/** A check that lets a larger share of other people's photographs pass is worth a word. */
const WEAK = 0.05;

/**
 * Tells, before a kit is used, that its check lets many photographs of the wrong person pass: one request
 * uses the kit up, and a wrong photograph that passes is one.
 */
export async function noteOnCheck(
  { kit, settings }: Pick<UnlearnWithReceiptOptions, "kit" | "settings">,
  terminal: Terminal,
): Promise<void> {
  const { choice, matchCheck } = settings;
  if (matchCheck === false || !methodOf(choice.method).needs.includes("memory")) return;
  const { manifest } = await readManifest(kit);
  const match = (await readMemoryIndex(kit, manifest))?.match;
  const passing = match ? 1 - match.refusesOthers : 1;
  if (passing <= WEAK) return;
  const check = match
    ? `this kit's check lets ${(100 * passing).toFixed(0)} % of other people's pass`
    : "this kit has no check that they show the people whom they name";
  terminal.note(
    `photographs: ${check}, and a request uses the kit up: look at each (deno task unlearn --dry-run ` +
      "takes the step and keeps nothing)",
  );
}
