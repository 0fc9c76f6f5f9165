import { fromFileUrl, join, resolve } from "@std/path";
import { SANDBOX_CHOICES } from "../../lib/audit/sandbox/containment.ts";
import type { Receipt } from "../../lib/audit/receipt/receipt.ts";
import { NONCE } from "../../lib/audit/receipt/receipt_file.ts";
import { readRequestRows, requestPeople } from "../../lib/data/requests/request_rows.ts";
import { UsageError } from "../../lib/error.ts";
import { shellWord } from "../../lib/files/shell_word.ts";
import { DEFAULT_SIGNING_KEY } from "../../lib/audit/receipt/signing_key.ts";
import type { UnlearnWithReceiptOptions } from "../../lib/audit/receipt/unlearn_with_receipt.ts";
import { identityKeyPath } from "../../lib/model/kit/identity_key.ts";
import { readManifest } from "../../lib/model/kit/stored_manifest.ts";
import type { PlanOptions } from "../../lib/run/unlearn_plan.ts";
import { kitDefault } from "../../lib/run/kit_default.ts";
import type { UnlearnSummary } from "../../lib/run/unlearn_summary.ts";
import { checkMethod } from "../../lib/unlearn/check_method.ts";
import { MEMORY_OPTIONS, memoryChoice } from "./memory_options.ts";
import { METHOD_OPTIONS, methodChoice } from "./method_options.ts";
import type { OptionValues } from "../command/options.ts";
import { DEVICE } from "./shared_options.ts";
import type { Terminal } from "../output/terminal.ts";

const fixture = (name: string) => fromFileUrl(new URL(`../../fixtures/${name}`, import.meta.url));

/** What `unlearn` and `audit` take besides `--support`. */
export const UNLEARN_OPTIONS = {
  kit: {
    kind: "path",
    takes: "kit",
    value: "DIR",
    help: "from meta-learn (./kit; fixtures/requests: the sample)",
  },
  identityKey: {
    kind: "path",
    takes: "file",
    value: "FILE",
    help: "the first kit's key (KIT.identity-key)",
  },
  out: { kind: "path", default: "unlearned", value: "DIR", help: "folder to make" },
  ...METHOD_OPTIONS,
  matchCheck: {
    kind: "flag",
    default: true,
    help: "memory: refuse a photograph of somebody else (inspect KIT: how many it catches)",
  },
  allowUnusualStep: {
    kind: "flag",
    help: "take a step far shorter or longer than simulated requests showed; the receipt says so",
  },
  branch: { kind: "flag", help: "use a kit that has a successor all the same" },
  reason: { kind: "text", help: "with --branch from a used kit: why; the receipt keeps it" },
  split: {
    kind: "path",
    takes: "split",
    value: "FILE",
    help: "split.json: no request may be one of its images",
  },
  skipUnknown: {
    kind: "flag",
    help: "serve those whom the kit can forget, and list the others",
  },
  allowTrainingPhoto: {
    kind: "flag",
    help: "go on with a photograph that the model was trained on; the receipt says so",
  },
  sandbox: {
    kind: "choice",
    of: SANDBOX_CHOICES,
    default: "auto",
    help: "the worker's walls: bubblewrap where it can be, must be, or Deno's permissions alone",
  },
  signingKey: {
    kind: "path",
    takes: "file",
    value: "FILE",
    help:
      `who signs the receipt, from audit --new-key (${DEFAULT_SIGNING_KEY} where it is; else nobody)`,
  },
  nonce: {
    kind: "text",
    value: "HEX",
    help: "from the auditor, 8 to 64 bytes: the receipt carries it, so it is not older",
  },
  microBatch: { kind: "integer", min: 1, max: 4096, default: 16, help: "images per pass, at most" },
  memoryLimit: MEMORY_OPTIONS.memoryLimit,
  device: DEVICE,
} as const;

/** What `--support` says. */
export const SUPPORT_HELP =
  "requests: an image per person, <identity>.jpg (further ones <identity>.2.jpg), or requests.csv";

/**
 * A run's options from those of the command line; without `--kit` the sample requests mean the sample
 * kit. Nobody real is in it, so it may be used as often as one likes.
 */
export async function unlearnOptions(
  support: string,
  given: OptionValues<typeof UNLEARN_OPTIONS>,
  terminal: Terminal,
): Promise<Omit<UnlearnWithReceiptOptions, "launcher">> {
  const { identityKey, signingKey, microBatch, memoryLimit, device, kit: _, nonce, ...others } =
    given;
  const { reason, split, skipUnknown, allowTrainingPhoto, ...rest } = others;
  const { out, branch, sandbox, allowUnusualStep, matchCheck, ...method } = rest;
  const sample = given.kit === undefined && resolve(support) === resolve(fixture("requests"));
  const kit = given.kit ?? (sample ? fixture("kit") : "kit");
  terminal.print(`kit: ${kit}${sample ? " (the sample, for fixtures/requests only)" : ""}`);
  const { manifest } = await readManifest(kit);
  const choice = methodChoice(method, kitDefault(manifest));
  checkMethod(manifest, choice.method);
  return {
    ...{ out, branch, sandbox, skipUnknown, allowTrainingPhoto },
    ...(reason === undefined ? {} : { reason }),
    ...(split === undefined ? {} : { split }),
    kit,
    support,
    sample,
    settings: {
      ...{ microBatch, device },
      ...memoryChoice(memoryLimit === undefined ? {} : { memoryLimit }),
      ...(allowUnusualStep ? { allowUnusualStep } : {}),
      ...(matchCheck ? {} : { matchCheck }),
      choice,
    },
    ...(identityKey === undefined ? {} : { identityKey }),
    ...(signingKey === undefined ? {} : { signingKey }),
    ...(nonce === undefined ? {} : { nonce: nonceOf(nonce) }),
    onLine: (line) =>
      /^(worker|walls|skipped): /.test(line) ? terminal.print(line) : terminal.note(line),
  };
}

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

/** What `--nonce` gives. @throws {UsageError} it is no such bytes */
export function nonceOf(text: string): string {
  const nonce = text.toLowerCase();
  if (NONCE.accepts(nonce)) return nonce;
  throw new UsageError(
    `--nonce ${text}`,
    `it is ${NONCE.rule}`,
    "for example: openssl rand -hex 32",
  );
}

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
