import type { LayerOutcome } from "../layers/layer.ts";
import type { Library, MachineFile } from "../sandbox/contained_run.ts";

/** A file by its content; never by the name of a person. */
export interface Digest {
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** Size of the content. */
  readonly bytes: number;
}

/** A file by its place below a folder, with `/` between names. */
export interface FileDigest extends Digest {
  /** Its name, relative. */
  readonly file: string;
}

/**
 * `receipt.json`: what one unlearning run read, did and wrote, and how the layers of the proof came
 * out (.github/ARCHITECTURE.md, section 5). It names nobody: requests are listed by hash, and paths
 * by what lies there (`{support}`, `{kit}`, `{out}`, `{project}`, ..).
 *
 * The signature is Ed25519 over the DSSE envelope of an in-toto statement: its subjects are the files that
 * were written, its predicate all other fields ({@link PREDICATE_TYPE}); `receipt.sigstore.json` has the
 * same for other tools. In version 1 it was over `lethe receipt 1\n` and the canonical JSON (RFC 8785) of
 * all other fields.
 */
export interface Receipt {
  /** 1: up to commit 4832d1b, without the fields that are marked so. */
  readonly version: 1 | 2;
  /** Version of Lethe. */
  readonly lethe: string;
  /** The commit of Lethe's repository, as .git names it; null where there is none. Not in version 1. */
  readonly commit?: string | null;
  /** `--nonce`, from whoever asked for the run: it is not older than that. Not in version 1. */
  readonly auditorNonce?: string | null;
  /** 256 random bits that the worker was given and gave back: no two runs have the same. */
  readonly nonce: string;
  /** ISO 8601, UTC; the launcher's clock. */
  readonly started: string;
  /** ISO 8601, UTC. */
  readonly ended: string;
  /** The photographs by hash, sorted; they are not kept. */
  readonly requests: readonly Digest[];
  /** How many people they show; absent: as many, one photograph each. Not in version 1. */
  readonly people?: number;
  /**
   * Keyed hash of `requests.csv`, null where there was none: a plain hash of so short a file would tell
   * who tries names.
   */
  readonly requestTable: string | null;
  /** Where the support images' labels came from. */
  readonly targets: "requests.csv" | "the model's own predictions";
  /** The split that the launcher held the requests against; null where none was named. */
  readonly split: Digest | null;
  /** Every kit file that was read. */
  readonly kit: readonly FileDigest[];
  /** Every file that was written, below the output folder. */
  readonly written: readonly FileDigest[];
  /** Ids of the kit that was read and of the next. Not in version 1. */
  readonly kitId?: { readonly before: string; readonly after: string };
  /** SHA-256 of model.safetensors before and after. */
  readonly weights: { readonly before: string; readonly after: string };
  /** How far the weights moved. Not in version 1. */
  readonly change?: {
    /** |after - before| / |before|, of all tensors together. */
    readonly relative: number;
    /** |after - before| per tensor. */
    readonly norms: Readonly<Record<string, number>>;
    /** Outside what simulated requests showed, which were `low` to `high`; null: the kit has no range. */
    readonly unusual: boolean | null;
    readonly low?: number;
    readonly high?: number;
  };
  /** What the run was asked for besides: `device`, `microBatch`, .. */
  readonly settings: Readonly<Record<string, Plain>>;
  /** The device that did the work. */
  readonly adapter: string;
  /** The command line, permissions and environment of the worker. */
  readonly worker: {
    readonly containment: "bubblewrap" | "deno";
    /** The whole command line. */
    readonly argv: readonly string[];
    /** Deno's permission flags. */
    readonly permissions: readonly string[];
    readonly environment: Readonly<Record<string, Plain>>;
  };
  /** The program that ran it. */
  readonly deno: Digest & {
    readonly version: string;
    /** As `Deno.build.target`. */
    readonly target: string;
  };
  /** The lock file's content. */
  readonly lockFile: Digest;
  /** Every file of `lib/`, loaded or not. Not in version 1. */
  readonly library?: Library;
  /** The programs around the worker, and what its process had mapped besides Deno. Not in version 1. */
  readonly machine?: readonly MachineFile[];
  /** The module that the launcher began with, below the project. */
  readonly launcher: typeof LAUNCHERS[number];
  /** Every project module of the worker's and the launcher's graphs, below the project. */
  readonly code: readonly FileDigest[];
  /** Every fetched package of these graphs, as deno.lock names it. */
  readonly packages: readonly { readonly name: string; readonly sha256: string }[];
  /** How each layer came out. */
  readonly layers: readonly LayerOutcome[];
  /** Logs and traces, beside the receipt; empty where the run gathered none. */
  readonly evidence: readonly FileDigest[];
  /** The public key of whoever signed, in hexadecimal; null: unsigned. */
  readonly signer: string | null;
  /** 64 bytes in hexadecimal; null: unsigned. */
  readonly signature: string | null;
}

/** The tasks that unlearn in a contained worker. */
export const LAUNCHERS = ["tasks/unlearn.ts", "tasks/audit.ts"] as const;

/** A value that is one word or number. */
export type Plain = string | number | boolean | null;

/** Files of a receipt beside what the worker wrote. */
export const RECEIPT_FILE = "receipt.json";
/** The page for people. */
export const RECEIPT_PAGE = "receipt.html";
/** The signed receipt as a sigstore bundle; there is none where nobody signed. */
export const RECEIPT_BUNDLE = "receipt.sigstore.json";
/** What in-toto's predicate is: the fields of {@link Receipt}, less the signature. */
export const PREDICATE_TYPE = "https://jsr.io/@lethe/lethe/unlearning-receipt/v2";
/** Where the logs lie. */
export const EVIDENCE_FOLDER = "evidence";
