import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { type Check, differing, runChecks, same, type Verdict } from "../layers/checks.ts";
import type { HashedFile, HashedPackage, MachineFile } from "../sandbox/contained_run.ts";
import { digestFile } from "../record/digest_files.ts";
import { hashFile } from "../record/hash_files.ts";
import { hashLibrary } from "../record/library.ts";
import type { LayerOutcome } from "../layers/layer.ts";
import { PROJECT } from "../layers/module_graph.ts";
import { moduleHashes } from "../record/module_hashes.ts";
import { checkFetched, checkTarballs } from "./packages.ts";
import { checkEarlierProgram, checkOut } from "./earlier_program.ts";
import type { Receipt } from "../receipt/receipt.ts";

/**
 * Holds what a receipt says of the program against this copy of Lethe: its modules, the packages
 * fetched here, the lock file and Deno. Packages that are not here are fetched where there is a network.
 *
 * @param packages a folder with the tarballs that deno.lock names, or {@link FETCH}
 * @returns one outcome per check
 */
export function verifyProgram(receipt: Receipt, packages?: string): Promise<LayerOutcome[]> {
  if (receipt.version === 1) {
    return runChecks([
      ["code", () => checkEarlierProgram(receipt)],
      ["deno", () => checkDeno(receipt)],
    ]);
  }
  const checks: Check[] = [
    ["code", () => checkCode(receipt)],
    ["library", () => checkLibrary(receipt)],
    ["packages", () => checkPackages(receipt)],
    ["tarballs", () => tarballs(receipt, packages)],
    ["lock file", () => checkLockFile(receipt)],
    ["deno", () => checkDeno(receipt)],
    ["machine", () => checkMachine(receipt)],
  ];
  return runChecks(checks);
}

async function checkCode(receipt: Receipt): Promise<Verdict> {
  const differs = await differing(PROJECT, receipt.code);
  if (differs !== undefined) return ["failed", `${differs}: ${checkOut(receipt)}`];
  if (receipt.code.length === 0) return ["failed", "the receipt names no module"];
  return ["held", `${receipt.code.length} modules are those of this copy of Lethe`];
}

/** The receipt must name all that this copy of Lethe loads, and nothing else: no module left out. */
async function checkPackages(receipt: Receipt): Promise<Verdict> {
  const entries = [WORKER, receipt.launcher];
  const graphs = await Promise.all(entries.map(moduleHashes)).catch((error) => {
    if (error instanceof LetheError) return error; // without network and packages
    throw error;
  });
  if (graphs instanceof LetheError) {
    return [graphs.exitCode === 3 ? "failed" : "absent", graphs.value];
  }
  const list = (some: readonly string[]) => [...new Set(some)].sort().join("\n");
  const modules = graphs.flatMap(({ code }) => code.map(({ file }) => file));
  if (list(modules) !== list(receipt.code.map(({ file }) => file))) {
    return ["failed", "the receipt names other modules than this copy of Lethe loads"];
  }
  const named = ({ name, sha256 }: HashedPackage) => `${name} ${sha256}`;
  const here = graphs.flatMap(({ packages }) => packages.map(named));
  return list(here) === list(receipt.packages.map(named))
    ? ["held", `${receipt.packages.length} packages are those fetched here; no module is left out`]
    : ["failed", "the packages fetched here are others"];
}

/** What of `--packages` asks for the network. */
export const FETCH = "fetch";

async function tarballs({ launcher }: Receipt, packages?: string): Promise<Verdict> {
  if (packages === undefined) return NO_TARBALLS;
  return packages === FETCH
    ? await checkFetched([WORKER, launcher])
    : await checkTarballs(packages);
}

const WORKER = "lib/audit/sandbox/unlearn_worker.ts";

const NO_TARBALLS: Verdict = [
  "absent",
  "packages were held against lib/audit/sandbox/packages.json alone; --packages DIR, with the tarballs " +
  "that npm pack fetches, or --packages fetch, by the network, hold that against deno.lock",
];

function checkLibrary({ library }: Receipt): Verdict {
  if (library === undefined) return ["failed", "the receipt does not say what lay in lib/"];
  const here = hashLibrary();
  if (library.sha256 === here.sha256) {
    return ["held", `all ${here.files} files of lib/, and no other`];
  }
  return ["failed", `lib/ held ${library.files} files, of which this copy's ${here.files} differ`];
}

/** Another machine may have other versions, so nothing fails here: it is told. */
async function checkMachine({ machine = [] }: Receipt): Promise<Verdict> {
  if (machine.length === 0) return ["absent", "the receipt names no program or library"];
  const others: string[] = [];
  for (const file of machine) {
    const here = await plainFile(file).catch(() => null);
    if (here?.sha256 !== file.sha256) others.push(file.path);
  }
  const count = `${machine.length} programs, libraries and drivers`;
  if (others.length === 0) return ["held", `${count} are the same files here`];
  const shown = others.slice(0, 5).join(", ");
  return ["absent", `of ${count} ${others.length} are other files here or none: ${shown}`];
}

/** No program or library is larger; below /proc a file can claim to be. */
const MAX_PROGRAM = 2 ** 32;

/**
 * Hashes a file of this machine that may be the receipt's: a device or a pipe could be read for ever, and a
 * file by a thousand other paths a thousand times. A run notes the one path that has no link in it.
 */
async function plainFile({ path, bytes }: MachineFile): Promise<HashedFile | null> {
  const { isFile, size } = await Deno.lstat(path);
  if (!isFile || size !== bytes || size === 0 || size >= MAX_PROGRAM) return null;
  return await Deno.realPath(path) === path ? await hashFile(path) : null;
}

async function checkLockFile({ lockFile }: Receipt): Promise<Verdict> {
  return same(await digestFile(join(PROJECT, "deno.lock")), lockFile)
    ? ["held", "that of this copy of Lethe"]
    : ["failed", "deno.lock of this copy of Lethe is another"];
}

async function checkDeno({ deno }: Receipt): Promise<Verdict> {
  const [version, target] = [Deno.version.deno, Deno.build.target];
  if (deno.version !== version || deno.target !== target) {
    return [
      "absent",
      `the run's was ${deno.version} for ${deno.target}, this is ${version} for ${target}`,
    ];
  }
  return same(await digestFile(Deno.execPath()), deno)
    ? ["held", `${version}, the same binary as here`]
    : ["failed", `${version}, but another binary than here`];
}
