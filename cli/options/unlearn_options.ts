import { DEFAULT_SIGNING_KEY } from "../../lib/audit/receipt/signing_key.ts";
import { SANDBOX_CHOICES } from "../../lib/audit/sandbox/sandbox_choice.ts";
import { MEMORY_OPTIONS } from "./memory_options.ts";
import { METHOD_OPTIONS } from "./method_options.ts";
import { DEVICE } from "./shared_options.ts";

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
    takes: "identity key",
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
  branch: { kind: "flag", help: "use a kit that has a successor all the same; --reason says why" },
  reason: {
    with: ["branch"],
    kind: "text",
    help: "with --branch from a used kit: why; the receipt keeps it",
  },
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
    takes: "signing key",
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
