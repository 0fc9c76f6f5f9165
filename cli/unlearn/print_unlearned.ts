import { join } from "@std/path";
import type { Receipt } from "../../lib/audit/receipt/receipt.ts";
import { shellWord } from "../../lib/files/shell_word.ts";
import { identityKeyPath } from "../../lib/model/kit/identity_key.ts";
import type { PlanOptions } from "../../lib/run/unlearn_plan.ts";
import type { UnlearnSummary } from "../../lib/run/unlearn_summary.ts";
import type { Terminal } from "../output/terminal.ts";

/** Prints what a run has made. */
export function printUnlearned(
  { out, kit, identityKey = identityKeyPath(kit) }: PlanOptions,
  { summary, receipt }: { readonly summary: UnlearnSummary; readonly receipt: Receipt },
  terminal: Terminal,
): void {
  const {
    people,
    photographs,
    method,
    steps,
    settings,
    staleStatistics,
    targets,
    weights,
    change,
  } = summary;
  terminal.print(
    `forgot ${people} ${people === 1 ? "person" : "people"}` +
      (photographs === people ? "" : ` by ${photographs} photographs`) +
      ` in ${steps.length} ` +
      `${steps.length === 1 ? "step" : "steps"}; labels from ${targets}`,
  );
  const used = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  terminal.print(`method: ${method}${used.length === 0 ? "" : ` (${used.join(", ")})`}`);
  if (staleStatistics) {
    terminal.note(
      "the kit's statistics are stale: they are of the model before an earlier request, and the " +
        "people whom that forgot still count in them",
    );
  }
  const share = `${(100 * change.relative).toPrecision(2)} % of their size`;
  const judged = change.unusual === null
    ? "; the kit records no range to hold that against"
    : change.unusual
    ? "; an unusual step, taken because --allow-unusual-step says so"
    : "";
  terminal.print(`moved the weights by ${share}${judged}`);
  terminal.print(`weights: ${weights.before.slice(0, 16)} -> ${weights.after.slice(0, 16)}`);
  const at = (name: string) => join(out, name);
  terminal.print(`${at("model")} holds them, ${at("kit")} serves the next request`);
  terminal.print(`its identity key stays where it is: --identity-key ${shellWord(identityKey)}`);
  terminal.print(
    receipt.signer === null
      ? `${at("receipt.json")} is unsigned: there is no --signing-key (deno task audit --new-key)`
      : `${at("receipt.json")} is signed with ${receipt.signer.slice(0, 16)}..`,
  );
}
