import type { Receipt } from "../../lib/audit/receipt/receipt.ts";
import { readRequestRows, requestPeople } from "../../lib/data/requests/request_rows.ts";
import type { Terminal } from "../output/terminal.ts";

/**
 * Tells of photographs that whoever handed them in should look at again; after the run.
 *
 * @param receipt of the run, which lists what it read: what it left out is nobody's to look at again; null for
 *   a dry run, which looks at all of them
 */
export async function noteOnPhotographs(
  support: string,
  receipt: Pick<Receipt, "requests"> | null,
  terminal: Terminal,
): Promise<void> {
  // Loaded only now: until the run is over the launcher decodes nothing, and then its workers do.
  const { photographNotes } = await import("../../lib/data/requests/photograph_notes.ts");
  const photographs = requestPeople(await readRequestRows(support, null), support);
  const served = receipt === null
    ? undefined
    : new Set(receipt.requests.map(({ sha256 }) => sha256));
  for (const note of await photographNotes(support, photographs, served)) {
    terminal.note(`photographs ${note}`);
  }
}
