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
  printStep(summary, "forgot", "moved", terminal);
  const { before, after } = summary.weights;
  terminal.print(`weights: ${before.slice(0, 16)} -> ${after.slice(0, 16)}`);
  const at = (name: string) => join(out, name);
  terminal.print(`${at("model")} holds them, ${at("kit")} serves the next request`);
  terminal.print(`its identity key stays where it is: --identity-key ${shellWord(identityKey)}`);
  terminal.print(
    receipt.signer === null
      ? `${at("receipt.json")} is unsigned: there is no --signing-key (deno task audit --new-key)`
      : `${at("receipt.json")} is signed with ${receipt.signer.slice(0, 16)}..`,
  );
}

/** Prints what a dry run would have made. */
export function printTrial(
  { kit }: PlanOptions,
  summary: UnlearnSummary,
  terminal: Terminal,
): void {
  printStep(summary, "would forget", "would move", terminal);
  terminal.print(`dry run: nothing of this is kept, and ${kit} is as unused as before`);
}

/** Who was forgotten, how, by photographs how near, and how far the weights went. */
function printStep(
  summary: UnlearnSummary,
  forgot: string,
  moved: string,
  terminal: Terminal,
): void {
  const { people, photographs, method, steps, settings, staleStatistics, targets } = summary;
  const { match, change } = summary;
  terminal.print(
    `${forgot} ${people} ${people === 1 ? "person" : "people"}` +
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
  if (match === null) terminal.print("photographs: not held against the people whom they name");
  else if (match !== undefined) {
    terminal.print(
      `photographs: the farthest is ${
        match.farthest.toFixed(3)
      } from the person whom it names; up to ` +
        `${match.distance.toFixed(3)} is taken`,
    );
  }
  const share = `${(100 * change.relative).toPrecision(2)} % of their size`;
  const judged = change.unusual === null
    ? "; the kit records no range to hold that against"
    : change.unusual
    ? "; an unusual step, taken because --allow-unusual-step says so"
    : "";
  terminal.print(`${moved} the weights by ${share}${judged}`);
}
