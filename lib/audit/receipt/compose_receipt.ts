import { relative, SEPARATOR } from "@std/path";
import manifest from "../../../deno.json" with { type: "json" };
import { type IdentityKey, keyedHash } from "../../model/kit/identity_key.ts";
import {
  type ContainedRun,
  type HashedFile,
  type HashedPackage,
  REQUEST_TABLE,
} from "../sandbox/contained_run.ts";
import type { LayerOutcome } from "../layers/layer.ts";
import type { Digest, FileDigest, Plain, Receipt } from "./receipt.ts";
import { type Place, redactor } from "../record/redact.ts";
import { isWithin } from "../sandbox/mounts.ts";

/** A receipt that nobody has sealed yet. */
export type UnsealedReceipt = Omit<Receipt, "signer" | "signature">;

/** What the launcher is made of. */
export interface LauncherGraph {
  readonly entry: Receipt["launcher"];
  readonly code: readonly FileDigest[];
  readonly packages: readonly HashedPackage[];
}

/** What a receipt holds besides what the contained run says. */
export interface ReceiptParts {
  /** Layers that are judged outside the run, such as `copies`. */
  readonly layers: readonly LayerOutcome[];
  /** Every file of the output folder, the receipt's own and the key aside. */
  readonly written: readonly FileDigest[];
  readonly evidence: readonly FileDigest[];
  /** The worker's modules and packages come with the run. */
  readonly launcher: LauncherGraph;
  readonly identityKey: IdentityKey;
  readonly split: Digest | null;
  /** Of Lethe's repository, where there is one. */
  readonly commit: string | null;
  /** From whoever asked for the run. */
  readonly auditorNonce: string | null;
}

/** A run's places by the names that a receipt gives them, in place of paths that may name people. */
export function runRedactor(run: ContainedRun, places: readonly Place[]): (text: string) => string {
  const { support, kit, identityKey, out, trainingData } = run.paths;
  const requests = under(support, run.read).map(({ file, sha256 }): [string, string] => [
    file,
    file === REQUEST_TABLE ? file : sha256.slice(0, 16),
  ]);
  return redactor(
    [
      ["{kit}", kit],
      ["{identity key}", identityKey],
      ["{out}", out],
      ["{deno}", run.deno.path],
      ...places,
    ],
    [
      { place: ["{support}", support], files: new Map(requests) },
      ...trainingData === null
        ? []
        : [{ place: ["{training data}", trainingData] as const, files: new Map() }],
    ],
  );
}

/** What a receipt holds of a `requests.csv`, by its SHA-256. */
export function requestTableHash(key: IdentityKey, sha256: string): string {
  return keyedHash(key, "request table", sha256);
}

/** The receipt of a run, its paths by name and its requests by hash. */
export function composeReceipt(
  run: ContainedRun,
  parts: ReceiptParts,
  redact: (text: string) => string,
): UnsealedReceipt {
  const { worker, deno, lockFile, summary, paths } = run;
  const requests = under(paths.support, run.read);
  const table = requests.find(({ file }) => file === REQUEST_TABLE);
  const plain = (values: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]): [string, Plain] => [name, plainValue(value)]),
    );
  const plainValue = (value: unknown): Plain =>
    value === null || typeof value === "number" || typeof value === "boolean"
      ? value
      : redact(typeof value === "string" ? value : JSON.stringify(value) ?? "");
  return {
    version: 2,
    lethe: manifest.version,
    commit: parts.commit,
    auditorNonce: parts.auditorNonce,
    nonce: run.nonce,
    started: run.started,
    ended: run.ended,
    requests: requests.filter((entry) => entry !== table)
      .map(({ sha256, bytes }) => ({ sha256, bytes }))
      .sort((a, b) => a.sha256 < b.sha256 ? -1 : 1),
    people: summary.people,
    requestTable: table ? requestTableHash(parts.identityKey, table.sha256) : null,
    targets: summary.targets,
    split: parts.split,
    kit: under(paths.kit, run.read),
    written: byFile(parts.written),
    kitId: summary.kit,
    weights: summary.weights,
    change: summary.change,
    settings: plain(run.settings),
    adapter: run.adapter,
    worker: {
      containment: worker.containment,
      argv: worker.argv.map(redact),
      permissions: worker.permissions.map(redact),
      environment: plain(worker.environment),
    },
    deno: {
      sha256: deno.sha256,
      bytes: deno.bytes,
      version: deno.version,
      target: Deno.build.target,
    },
    library: run.library,
    machine: run.machine.map(({ path, ...rest }) => ({ path: redact(path), ...rest })),
    launcher: parts.launcher.entry,
    lockFile: { sha256: lockFile.sha256, bytes: lockFile.bytes },
    code: byFile(
      once(
        [...run.code.map(({ path, ...rest }) => ({ file: path, ...rest })), ...parts.launcher.code],
        ({ file }) => file,
      ),
    ),
    packages: once([...run.packages, ...parts.launcher.packages], ({ name }) => name)
      .sort((a, b) => a.name < b.name ? -1 : 1),
    layers: [...run.layers, ...parts.layers].map(({ layer, state, detail }) => ({
      layer,
      state,
      detail: redact(detail),
    })),
    evidence: byFile(parts.evidence),
  };
}

/** The files below a folder, by their paths within it. */
function under(folder: string, files: readonly HashedFile[]): FileDigest[] {
  // By whole paths: below a folder a name may begin with two dots, or have a colon or a backslash.
  const inside = files.filter(({ path }) => path !== folder && isWithin(path, folder))
    .map(({ path, sha256, bytes }) => ({
      file: relative(folder, path).replaceAll(SEPARATOR, "/"),
      sha256,
      bytes,
    }));
  // A file may be read twice; one that held two things stays twice, and the receipt is refused for it.
  return byFile(once(inside, ({ file, sha256 }) => `${sha256} ${file}`));
}

function byFile(files: readonly FileDigest[]): FileDigest[] {
  return files.toSorted((a, b) => a.file < b.file ? -1 : 1);
}

/** Entries, one of each name. */
function once<T>(entries: readonly T[], nameOf: (entry: T) => string): T[] {
  return [...new Map(entries.map((entry) => [nameOf(entry), entry])).values()];
}
