import type { UnlearnSummary } from "../../run/unlearn_summary.ts";
import type { LayerOutcome } from "../layers/layer.ts";

/** Where requests' names and labels may lie among the photographs. */
export const REQUEST_TABLE = "requests.csv";

/** A file and what was in it. */
export interface HashedFile {
  /** Absolute and resolved for what was read; relative to the output folder for what was written. */
  readonly path: string;
  /** SHA-256, 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** Size of the content. */
  readonly bytes: number;
}

/** A fetched package of the worker's module graph. */
export interface HashedPackage {
  /** As deno.lock names it: `@tensorflow/tfjs@4.22.0`. */
  readonly name: string;
  /** SHA-256 over the sorted list of its files' relative paths and hashes. */
  readonly sha256: string;
}

/** All files of a copy of Lethe's `lib/`, whether they are loaded or not. */
export interface Library {
  /** How many there are. */
  readonly files: number;
  /** Over a line `path sha256` for each file, sorted. */
  readonly sha256: string;
}

/** A program that started the worker, or a file that its process had mapped: code, all of them. */
export interface MachineFile {
  /** Absolute; of the system, so it names nobody. */
  readonly path: string;
  /** A program that ran, or a file that was mapped. */
  readonly use: "program" | "mapped";
  /** Of the content, hex. */
  readonly sha256: string;
  /** Size of the content. */
  readonly bytes: number;
}

/** Text that a layer of evidence left: a log or a trace. */
export interface EvidenceText {
  /** What it says. */
  readonly text: string;
  /** Of the text as UTF-8. */
  readonly sha256: string;
}

/** What ran the worker: `bubblewrap` has the operating system's walls besides Deno's permissions. */
export type Containment = "bubblewrap" | "deno";

/**
 * All that is known of one unlearning run in a contained worker: what the receipt signs and shows. It
 * holds no pixel and no key; `read` names the request files, which may be people's names.
 */
export interface ContainedRun {
  /** 256 random bits in hexadecimal that the worker was given and gave back. */
  readonly nonce: string;
  /** ISO 8601, UTC. */
  readonly started: string;
  /** ISO 8601, UTC. */
  readonly ended: string;
  /** As resolved: absolute, without links. */
  readonly paths: {
    readonly support: string;
    readonly kit: string;
    readonly identityKey: string;
    readonly out: string;
    /** Null where none was named. */
    readonly trainingData: string | null;
  };
  /** The command line, permissions and environment of the worker. */
  readonly worker: {
    readonly containment: Containment;
    /** Everything that was executed, from the wrapper that closes descriptors to the entry's arguments. */
    readonly argv: readonly string[];
    /** Deno's permission flags alone. */
    readonly permissions: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
  };
  /** What the worker's job asked for besides paths and rows: `device`, `microBatch`, .. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The device that did the work, as the summary names it. */
  readonly adapter: string;
  /** The program that ran it. */
  readonly deno: HashedFile & { readonly version: string };
  /** The lock file's content. */
  readonly lockFile: HashedFile;
  /** Every file of lib/. */
  readonly library: Library;
  /** Programs and mapped files around the worker. */
  readonly machine: readonly MachineFile[];
  /** Every module of the worker's graph in the project; paths relative to the project. */
  readonly code: readonly HashedFile[];
  /** Fetched packages. */
  readonly packages: readonly HashedPackage[];
  /** Every request and kit file that the worker read, hashed by the worker as it read them. */
  readonly read: readonly HashedFile[];
  /** Every file that the worker wrote, hashed by the launcher. */
  readonly written: readonly HashedFile[];
  /** Null where the run did not gather it. */
  readonly permissionLog: EvidenceText | null;
  /** System calls; null where they were not traced. */
  readonly trace: EvidenceText | null;
  /** How each layer came out. */
  readonly layers: readonly LayerOutcome[];
  /** What the run made. */
  readonly summary: UnlearnSummary;
}
