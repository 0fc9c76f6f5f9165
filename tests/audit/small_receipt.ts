import type { Receipt } from "../../lib/audit/receipt/receipt.ts";

/** 64 times one digit. */
export const hash = (digit: string) => digit.repeat(64);

/** A receipt, before it is sealed, in which every kind of field is filled. */
export function smallReceipt(): Omit<Receipt, "signer" | "signature"> {
  const digest = (digit: string) => ({ sha256: hash(digit), bytes: Number(digit) });
  return {
    version: 2,
    lethe: "0.1.0",
    commit: "a".repeat(40),
    auditorNonce: "0123456789abcdef",
    nonce: hash("0"),
    started: "2026-01-02T03:04:05.678Z",
    ended: "2026-01-02T03:04:09.000Z",
    requests: [digest("1"), digest("2")],
    requestTable: hash("3"),
    targets: "requests.csv",
    split: digest("6"),
    kit: [{ file: "kit.json", ...digest("4") }, { file: "model.safetensors", ...digest("5") }],
    written: [{ file: "model/model.safetensors", ...digest("6") }],
    kitId: { before: hash("b"), after: hash("c") },
    change: { relative: 0.25, norms: { "head.bias": 0.5 }, unusual: false, low: 0.1, high: 1 },
    weights: { before: hash("5"), after: hash("6") },
    settings: { device: "wasm", microBatch: 16, branch: false },
    adapter: "WASM (SIMD, one thread)",
    worker: {
      containment: "bubblewrap",
      argv: ["/bin/sh", "-c", "exec 3>&-\n$@", "", "{deno}", "run", "--allow-read={kit},{support}"],
      permissions: ["--allow-read={kit},{support}"],
      environment: { LANG: "C" },
    },
    deno: { ...digest("7"), version: "2.9.6", target: "x86_64-unknown-linux-gnu" },
    launcher: "tasks/unlearn.ts",
    lockFile: digest("8"),
    library: { files: 400, sha256: hash("7") },
    machine: [{ path: "/usr/bin/bwrap", use: "program", ...digest("7") }],
    code: [{ file: "lib/error.ts", ...digest("9") }, { file: "mod.ts", ...digest("9") }],
    packages: [{ name: "@tensorflow/tfjs@4.22.0", sha256: hash("a") }],
    layers: [
      { layer: "inputs", state: "held", detail: "10 files, no link" },
      { layer: "canaries", state: "absent", detail: "no training folder" },
    ],
    evidence: [{ file: "evidence/permissions.log", ...digest("4") }],
  };
}
