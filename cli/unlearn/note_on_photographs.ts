import type { Receipt } from "../../lib/audit/receipt/receipt.ts";
import { readRequestRows, requestPeople } from "../../lib/data/requests/request_rows.ts";
import type { Terminal } from "../output/terminal.ts";

/**
 * Tells of photographs that whoever handed them in should look at again; after the run.
 *
 * @param receipt of the run, which lists what it read: what it left out is nobody's to look at again
 */
export async function noteOnPhotographs(
  support: string,
  { requests }: Pick<Receipt, "requests">,
  terminal: Terminal,
): Promise<void> {
  // Loaded only now: until the run is over the launcher decodes nothing, and then its workers do.
  const { photographNotes } = await import("../../lib/data/requests/photograph_notes.ts");
  const photographs = requestPeople(await readRequestRows(support, null), support);
  const served = new Set(requests.map(({ sha256 }) => sha256));
  for (const note of await photographNotes(support, photographs, served)) {
    terminal.note(`photographs ${note}`);
  }
}
