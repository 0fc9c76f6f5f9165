import { UsageError } from "../../lib/error.ts";
import type { OptionValues } from "../command/options.ts";
import { SUPPORT_HELP, UNLEARN_OPTIONS } from "../options/unlearn_options.ts";

/** Options of `audit`: those of a run under watch, then those of a receipt's check. */
export const AUDIT_OPTIONS = {
  support: { kind: "path", takes: "requests", value: "DIR", help: SUPPORT_HELP },
  trainingData: {
    kind: "path",
    takes: "data",
    value: "DIR",
    help: "the data set, where it still exists: nothing of it may be reachable",
  },
  ...UNLEARN_OPTIONS,
  verify: {
    kind: "path",
    takes: "receipt",
    value: "FILE",
    help: "check a receipt.json and what is beside it, or a pack",
  },
  key: {
    with: ["verify", "chain"],
    kind: "path",
    takes: "public key",
    value: "FILE",
    help: "with --verify: the signer's public key (.pub)",
  },
  model: {
    with: ["verify"],
    kind: "path",
    takes: "model",
    value: "DIR",
    help: "with --verify: the new model, where it lies apart",
  },
  pack: {
    kind: "path",
    value: "FILE.tar",
    help: "of a run or with --verify: what an auditor gets, receipt, page, evidence, model hash",
  },
  confirm: {
    with: ["verify"],
    kind: "path",
    value: "FILE.html",
    help: "with --verify: a page for one person of the batch, with nobody else's hashes",
  },
  photograph: {
    with: ["confirm"],
    kind: "list",
    takes: "photograph",
    value: "FILE,..",
    help: "with --confirm: the person's own, as they were handed in",
  },
  rerun: {
    with: ["verify"],
    kind: "flag",
    help: "with --verify: repeat the request and compare the weights",
  },
  packages: {
    with: ["verify"],
    kind: "path",
    value: "DIR",
    help:
      "with --verify: npm's tarballs, to hold the packages against deno.lock; fetch: by network",
  },
  chain: {
    kind: "list",
    takes: "receipt in a chain",
    value: "MODEL,KIT,RUN,..",
    help: "check receipts against each other: a model's, its kit's, then requests' receipt.json",
  },
  newKey: { kind: "path", value: "FILE", help: "make a key to sign with, and FILE.pub" },
} as const;

/** Options of a run or a check; which of them it is, is told apart. */
export type AuditOptions = Omit<
  OptionValues<typeof AUDIT_OPTIONS>,
  "newKey" | "verify" | "support" | "chain"
>;

/** What the options alone lack for what they ask for. @throws UsageError */
export function auditUsage(options: OptionValues<typeof AUDIT_OPTIONS>): void {
  const { support, newKey, chain, verify, confirm, photograph, rerun } = options;
  if (confirm !== undefined && photograph === undefined) {
    throw new UsageError(
      "--confirm without --photograph",
      "a person is known by their own photograph: a receipt holds no names",
      "add --photograph FILE, as it was handed in",
    );
  }
  const runs = newKey === undefined && chain === undefined && verify === undefined;
  if (support !== undefined || !runs && !rerun) return;
  throw new UsageError(
    `${runs ? "audit" : "--rerun"} without --support`,
    "the request's photographs are needed",
    "add --support DIR, the folder with the people's images",
  );
}
