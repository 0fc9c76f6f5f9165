import type { LayerOutcome } from "../layers/layer.ts";

/** A file by its content; never by the name of a person. */
export interface Digest {
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  readonly bytes: number;
}

/** A file by its place below a folder, with `/` between names. */
export interface FileDigest extends Digest {
  readonly file: string;
}

/**
 * `receipt.json`: what one unlearning run read, did and wrote, and how the layers of the proof came
 * out (.github/ARCHITECTURE.md, section 5). It names nobody: requests are listed by hash, and paths by what lies there
 * (`{support}`, `{kit}`, `{out}`, `{project}`, ..).
 *
 * The signature is Ed25519 over `lethe receipt 1\n` and the canonical JSON (RFC 8785) of all other
 * fields.
 */
export interface Receipt {
  readonly version: 1;
  /** Version of Lethe. */
  readonly lethe: string;
  /** 256 random bits that the worker was given and gave back: no two runs have the same. */
  readonly nonce: string;
  /** ISO 8601, UTC; the launcher's clock. */
  readonly started: string;
  readonly ended: string;
  /** The photographs by hash, sorted; they are not kept. */
  readonly requests: readonly Digest[];
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
  /** SHA-256 of model.safetensors before and after. */
  readonly weights: { readonly before: string; readonly after: string };
  /** What the run was asked for besides: `device`, `microBatch`, .. */
  readonly settings: Readonly<Record<string, Plain>>;
  /** The device that did the work. */
  readonly adapter: string;
  readonly worker: {
    readonly containment: "bubblewrap" | "deno";
    /** The whole command line. */
    readonly argv: readonly string[];
    /** Deno's permission flags. */
    readonly permissions: readonly string[];
    readonly environment: Readonly<Record<string, Plain>>;
  };
  readonly deno: Digest & {
    readonly version: string;
    /** As `Deno.build.target`. */
    readonly target: string;
  };
  readonly lockFile: Digest;
  /** The module that the launcher began with, below the project. */
  readonly launcher: typeof LAUNCHERS[number];
  /** Every project module of the worker's and the launcher's graphs, below the project. */
  readonly code: readonly FileDigest[];
  /** Every fetched package of these graphs, as deno.lock names it. */
  readonly packages: readonly { readonly name: string; readonly sha256: string }[];
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
export const RECEIPT_PAGE = "receipt.html";
export const EVIDENCE_FOLDER = "evidence";
