import { command, main } from "../cli/command/command.ts";
import { printResult } from "../cli/output/print_result.ts";
import { JSON_RESULT } from "../cli/options/shared_options.ts";
import { table } from "../cli/output/table.ts";
import { closeBy } from "../lib/audit/receipt/closing.ts";
import { UsageError } from "../lib/error.ts";
import { lastStep } from "../lib/files/finish_before_exit.ts";
import { identityHash, keyFingerprint, readIdentityKey } from "../lib/model/kit/identity_key.ts";
import {
  appendLedger,
  branchings,
  lateRequests,
  type LedgerEntry,
  ledgerPath,
  ledgerStates,
  readLedger,
} from "../lib/run/ledger.ts";

const DAY = 24 * 3600 * 1000;

/** `deno task ledger`: which requests came, what became of them, and what is late. */
export const ledger = command({
  name: "ledger",
  summary: "an append-only file of requests, by keyed hashes: received, done, refused, due",
  options: {
    dir: {
      kind: "path",
      required: true,
      takes: "ledger's folder",
      value: "DIR",
      help: "where ledger.jsonl lies",
    },
    received: { kind: "list", value: "WHO,..", help: "people whose requests came" },
    done: { kind: "list", value: "WHO,..", help: "people whom a run has forgotten" },
    refused: { kind: "list", value: "WHO,..", help: "people whose requests were refused" },
    days: {
      with: ["received"],
      kind: "number",
      min: 0,
      default: 30,
      help: "with --received: days to the answer",
    },
    receipt: {
      with: ["done"],
      kind: "path",
      takes: "receipt",
      value: "FILE",
      help: "with --done: the run's receipt.json",
    },
    kit: {
      with: ["done"],
      kind: "path",
      takes: "kit",
      value: "DIR",
      help:
        "with --done: the kit that the run wrote, where it lies apart: it tells whom, not how many",
    },
    reason: { with: ["refused"], kind: "text", help: "with --refused: why" },
    identityKey: {
      kind: "path",
      takes: "identity key",
      value: "FILE",
      help: "the kit's key, under which names are hashed",
    },
    due: { kind: "flag", help: "list only what is late" },
    json: JSON_RESULT,
  },
  examples: [
    "deno task ledger --dir requests --received 4711,4712 --identity-key kit.identity-key",
    "deno task ledger --dir requests --done 4711 --receipt unlearned/receipt.json --identity-key kit.identity-key",
    "deno task ledger --dir requests --due",
  ],
  async run({ dir, days, receipt, kit, reason, identityKey, due, json, ...who }, terminal) {
    const now = new Date();
    const time = now.toISOString();
    const blank = { time, due: null, reason: null, receipt: null, generation: null };
    const entries: Omit<LedgerEntry, "version" | "previous">[] = [];
    for (const event of ["received", "done", "refused"] as const) {
      const names = who[event];
      if (names === undefined) continue;
      const key = await readIdentityKey(needed(identityKey, event, "--identity-key FILE"));
      const persons = names.map((name) => identityHash(key, name));
      const closedBy = async (path: string) => {
        const { closing, byName, doubts } = await closeBy(
          path,
          key,
          persons,
          await readLedger(dir),
          kit,
        );
        for (const doubt of doubts) {
          terminal.note(`${path} ${doubt}; noted as done by it all the same`);
        }
        if (!byName) {
          terminal.note(
            `the run's kit is not beside ${path}: people were counted, not looked up (--kit DIR)`,
          );
        }
        return closing;
      };
      const facts = event === "received"
        ? { due: new Date(now.getTime() + days * DAY).toISOString() }
        : event === "done"
        ? await closedBy(needed(receipt, event, "--receipt FILE"))
        : { reason: needed(reason, event, "--reason TEXT") };
      const under = { key: keyFingerprint(key) };
      entries.push(...persons.map((person) => ({ ...blank, ...facts, ...under, event, person })));
    }
    if (entries.length > 0) await lastStep(() => appendLedger(dir, entries));
    else await needLedger(dir);
    const known = await readLedger(dir);
    const all = ledgerStates(known);
    const shown = due ? lateRequests(all, time) : all;
    const rows = shown.map(({ person, received, due, last }) => [
      person.slice(0, 16),
      received.slice(0, 10),
      due?.slice(0, 10) ?? "-",
      last.event === "received" ? "open" : `${last.event} ${last.time.slice(0, 10)}`,
      last.reason ?? (last.receipt === null ? "" : `receipt ${last.receipt.slice(0, 16)}`),
    ]);
    const branched = branchings(known);
    await printResult(terminal, json, { requests: shown, branched }, [
      ...table(["person", "received", "due", "state", ""], rows),
      `${shown.length} ${due ? "late" : "in all"}`,
      ...branched.map(({ kit, branches }) =>
        `kit ${short(kit)} went on ${branches.length} times: ` +
        branches.map(({ kit, people }) => `${short(kit)} without ${people.map(short).join(", ")}`)
          .join("; ")
      ),
    ]);
  },
});

/** A ledger that is looked at is there: of a mistyped folder nothing would ever be late. */
async function needLedger(dir: string): Promise<void> {
  const path = ledgerPath(dir);
  if (await Deno.lstat(path).then(() => true, () => false)) return;
  throw new UsageError(
    `${path} does not exist`,
    "the first request that is received makes it",
    "check --dir, or note a request by --received",
  );
}

const short = (hash: string) => `${hash.slice(0, 16)}..`;

function needed(value: string | undefined, event: string, option: string): string {
  if (value !== undefined) return value;
  throw new UsageError(
    `--${event} without ${option.split(" ")[0]}`,
    "it needs it",
    `add ${option}`,
  );
}

if (import.meta.main) await main(ledger);
