import { dirname, join } from "@std/path";
import { command } from "../cli/command/command.ts";
import { mainContained } from "../cli/command/contained_main.ts";
import type { OptionValues } from "../cli/command/options.ts";
import type { Terminal } from "../cli/output/terminal.ts";
import {
  nonceOf,
  noteOnPhotographs,
  printUnlearned,
  SUPPORT_HELP,
  UNLEARN_OPTIONS,
  unlearnOptions,
} from "../cli/options/unlearn_options.ts";
import type { LayerOutcome } from "../lib/audit/layers/layer.ts";
import { runChecks } from "../lib/audit/layers/checks.ts";
import { rerun } from "../lib/audit/verify/rerun.ts";
import { digestFile } from "../lib/audit/record/digest_files.ts";
import { confirmationPage, photographsOf } from "../lib/audit/receipt/confirmation_page.ts";
import { isPackName, unpack, writePack } from "../lib/audit/receipt/pack.ts";
import { EVIDENCE_FOLDER, RECEIPT_FILE } from "../lib/audit/receipt/receipt.ts";
import { readReceipt } from "../lib/audit/receipt/receipt_file.ts";
import { launcherCache } from "../lib/audit/sandbox/launcher_cache.ts";
import { temporaryFolder } from "../lib/audit/sandbox/run_folder.ts";
import { withTemporaryPath } from "../lib/files/temporary_path.ts";
import { refuseExisting, writeWhole } from "../lib/files/write_whole.ts";
import { newSigningKey, readPublicKey } from "../lib/audit/receipt/signing_key.ts";
import { unlearnWithReceipt } from "../lib/audit/receipt/unlearn_with_receipt.ts";
import { readClaim } from "../lib/audit/verify/read_claim.ts";
import { verifyChain } from "../lib/audit/verify/verify_chain.ts";
import { verifyProgram } from "../lib/audit/verify/verify_program.ts";
import { verifyReceipt } from "../lib/audit/verify/verify_receipt.ts";
import { LetheError, UsageError } from "../lib/error.ts";

const OPTIONS = {
  support: { kind: "path", value: "DIR", help: SUPPORT_HELP },
  trainingData: {
    kind: "path",
    value: "DIR",
    help: "the data set, where it still exists: nothing of it may be reachable",
  },
  ...UNLEARN_OPTIONS,
  verify: {
    kind: "path",
    value: "FILE",
    help: "check a receipt.json and what is beside it, or a pack",
  },
  key: {
    with: ["verify", "chain"],
    kind: "path",
    value: "FILE",
    help: "with --verify: the signer's public key (.pub)",
  },
  model: {
    with: ["verify"],
    kind: "path",
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
    value: "MODEL,KIT,RUN,..",
    help: "check receipts against each other: a model's, its kit's, then requests' receipt.json",
  },
  newKey: { kind: "path", value: "FILE", help: "make a key to sign with, and FILE.pub" },
} as const;

/** `deno task audit`: unlearning under watch; or a receipt verified; or a key to sign with. */
export const audit = command({
  name: "audit",
  summary: "unlearns under watch and shows which layer of the proof held; verifies receipts",
  options: OPTIONS,
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
    if (support === undefined) throw missing("audit");
    return await watch(support, options, terminal);
  },
});

type Options = Omit<OptionValues<typeof OPTIONS>, "newKey" | "verify" | "support" | "chain">;

/** Verifies a chain of receipts. */
async function checkChain(
  chain: readonly string[],
  { key, split }: Options,
  terminal: Terminal,
): Promise<number> {
  if (chain.length < 2) {
    throw new UsageError(
      `--chain ${chain.join(",")}`,
      "it begins with the receipts of a model and of its kit",
      "for example --chain model.receipt.json,kit.receipt.json,unlearned/receipt.json",
    );
  }
  const publicKey = key === undefined ? undefined : await readPublicKey(key);
  return printLayers(await verifyChain(chain, publicKey, split), terminal) ? 3 : 0;
}

/** Unlearns under watch. */
async function watch(
  support: string,
  { trainingData, pack, ...options }: Options,
  terminal: Terminal,
): Promise<number> {
  if (pack !== undefined) await refusePack(pack);
  const run = await unlearnOptions(support, options, terminal);
  const done = await unlearnWithReceipt({
    ...run,
    evidence: true,
    launcher: "tasks/audit.ts",
    ...(trainingData === undefined ? {} : { trainingData }),
  });
  const failed = printLayers(done.receipt.layers, terminal);
  printUnlearned(run, done, terminal);
  if (pack !== undefined) await makePack(join(run.out, RECEIPT_FILE), pack, terminal);
  await noteOnPhotographs(support, done.receipt, terminal);
  return failed ? 3 : 0;
}

/** Verifies a receipt or a pack, and repeats its run where that is asked for. */
async function check(
  path: string,
  support: string | undefined,
  options: Options,
  terminal: Terminal,
): Promise<number> {
  await refuseCheck(support, options);
  if (!isPackName(path)) {
    await needEvidence(path);
    return await checkReceipt(path, support, options, terminal);
  }
  const folder = await temporaryFolder("lethe-pack-", await launcherCache());
  return await withTemporaryPath(folder, async () => {
    await readClaim(path, () => unpack(path, folder));
    try {
      return await checkReceipt(join(folder, RECEIPT_FILE), support, options, terminal);
    } catch (error) {
      throw error instanceof LetheError ? inPack(error, folder, path) : error;
    }
  });
}

/** What the options lack or would write over, before any file is read. */
async function refuseCheck(
  support: string | undefined,
  { confirm, photograph, pack, rerun }: Options,
): Promise<void> {
  if (confirm !== undefined) {
    if (photograph === undefined) {
      throw new UsageError(
        "--confirm without --photograph",
        "a person is known by their own photograph: a receipt holds no names",
        "add --photograph FILE, as it was handed in",
      );
    }
    await refuseExisting(confirm);
  }
  if (pack !== undefined) await refusePack(pack);
  if (rerun && support === undefined) throw missing("--rerun");
}

/**
 * A receipt that was handed on by itself has not failed: what it names was not brought along. A pack is
 * whole, so there a log that is missing was taken out.
 */
async function needEvidence(path: string): Promise<void> {
  const { evidence } = await readClaim(path, readReceipt);
  const folder = join(dirname(path), EVIDENCE_FOLDER);
  if (evidence.length === 0 || await Deno.lstat(folder).then(() => true, () => false)) return;
  throw new UsageError(
    `${folder} does not exist`,
    `${path} names ${evidence.length} logs that the run left there`,
    "bring the folder along, or ask for a pack (audit --verify .. --pack FILE.tar)",
  );
}

/** An error about a pack's file, by the pack's name: the folder that it lay in for a while is gone. */
function inPack(
  { value, rule, remedy, exitCode, cause }: LetheError,
  folder: string,
  pack: string,
) {
  const told = [value, rule, remedy].map((text) => text.replaceAll(`${folder}/`, `${pack}: `));
  return new LetheError(told[0], told[1], told[2], { exitCode, cause });
}

async function checkReceipt(
  path: string,
  support: string | undefined,
  { key, packages, pack, model, confirm, photograph, rerun: again, ...options }: Options,
  terminal: Terminal,
): Promise<number> {
  const run = again ? await unlearnOptions(support!, options, terminal) : null;
  const kit = run?.kit ?? options.kit;
  const { receipt, checks } = await verifyReceipt({
    receipt: path,
    ...(model === undefined ? {} : { model }),
    ...(key === undefined ? {} : { publicKey: await readPublicKey(key) }),
    ...(options.split === undefined ? {} : { split: options.split }),
    ...(options.nonce === undefined ? {} : { nonce: nonceOf(options.nonce) }),
    ...(kit === undefined ? {} : { kit }),
    ...(support === undefined ? {} : { support }),
    ...(options.identityKey === undefined ? {} : { identityKey: options.identityKey }),
  });
  const outcomes = [...checks, ...await verifyProgram(receipt, packages)];
  if (run !== null) {
    const apart = model === undefined ? {} : { model };
    const repeat = () => rerun(receipt, { ...run, ...apart, receiptPath: path });
    outcomes.push(...await runChecks([["rerun", repeat]]));
  }
  if (printLayers(outcomes, terminal)) return 3;
  if (pack !== undefined) await makePack(path, pack, terminal);
  if (confirm !== undefined) {
    const hashes = await photographsOf(receipt, photograph!);
    await writeWhole(confirm, confirmationPage(receipt, (await digestFile(path)).sha256, hashes));
    terminal.print(`${confirm} confirms to one person that they were served`);
  }
  return 0;
}

/** Before any work: a pack has its own ending, and overwrites nothing. */
async function refusePack(pack: string): Promise<void> {
  if (!isPackName(pack)) {
    throw new UsageError(`--pack ${pack}`, "a pack is a tar archive", "let its name end in .tar");
  }
  await refuseExisting(pack);
}

async function makePack(receipt: string, pack: string, terminal: Terminal): Promise<void> {
  const files = await writePack(receipt, pack);
  terminal.print(`${pack} holds ${files.join(", ")}; hand it to the auditor`);
}

/** One line per layer. @returns whether one failed */
function printLayers(layers: readonly LayerOutcome[], terminal: Terminal): boolean {
  const width = Math.max(...layers.map(({ layer }) => layer.length));
  for (const { layer, state, detail } of layers) {
    terminal.print(`${state.padEnd(7)} ${layer.padEnd(width)}  ${detail}`);
  }
  return layers.some(({ state }) => state === "failed");
}

function missing(what: string): UsageError {
  return new UsageError(
    `${what} without --support`,
    "the request's photographs are needed",
    "add --support DIR, the folder with the people's images",
  );
}

if (import.meta.main) await mainContained(audit, "tasks/audit.ts");
