import { shellWord } from "../files/shell_word.ts";
import { branchings, isOpen, lateRequests, ledgerStates, readLedger } from "../run/ledger.ts";
import { counted, type Inspected } from "./inspected.ts";

/** A folder with a ledger: how many requests came and what became of them. @throws {LetheError} damaged */
export async function inspectLedger(path: string): Promise<Inspected> {
  const entries = await readLedger(path);
  const states = ledgerStates(entries);
  const ended = (event: string) => states.filter(({ last }) => last.event === event).length;
  const facts = {
    requests: states.length,
    open: states.filter(isOpen).length,
    late: lateRequests(states, new Date().toISOString()).length,
    done: ended("done"),
    refused: ended("refused"),
  };
  const twice = branchings(entries).length;
  return {
    kind: "ledger",
    path,
    rows: Object.entries(facts).map(([name, count]) => [name, String(count)]),
    notes: twice === 0 ? [] : [
      `${counted(twice, "kit", "kits")} went on more than once: deno task ledger --dir ${
        shellWord(path)
      }`,
    ],
    value: { kind: "ledger", ...facts, branched: twice },
  };
}
