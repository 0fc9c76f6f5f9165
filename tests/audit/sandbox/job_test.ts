import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type Job, parseJob, parseResult } from "../../../lib/audit/sandbox/job.ts";
import type { UnlearnSummary } from "../../../lib/run/unlearn_summary.ts";
import { LetheError } from "../../../lib/error.ts";

const NONCE = "0123456789abcdef".repeat(4);
const JOB: Job = {
  nonce: NONCE,
  support: "/requests",
  kit: "/kit",
  out: "/out",
  rows: [{ file: "1.png", row: 3 }],
  hasCsv: false,
  settings: {
    device: "wasm",
    microBatch: 16,
    choice: { method: "pgu", seed: 3, set: { epochs: 2 } },
  },
};

/** The job's settings with another choice of method. */
const chosen = (change: Record<string, unknown>) => ({
  ...JOB.settings,
  choice: { ...JOB.settings.choice, ...change },
});

Deno.test("parseJob reads what the launcher writes and refuses every other field", () => {
  assertEquals(parseJob(JSON.stringify(JOB), "job"), JOB);
  const limited = { ...JOB, settings: { ...JOB.settings, memoryLimit: 2 ** 30 } };
  assertEquals(parseJob(JSON.stringify(limited), "job"), limited);
  const wrong: [Partial<Record<keyof Job | "key", unknown>>, string][] = [
    [{ key: "0" }, '"key" is unknown'],
    [{ nonce: "0" }, "nonce"],
    [{ rows: [{ file: "1.png", row: -1 }] }, "row is -1"],
    [{ rows: [{ file: "1.png", row: 1, identity: "me" }] }, '"identity" is unknown'],
    [{ settings: { ...JOB.settings, device: "cuda" } }, "device"],
    [{ settings: { ...JOB.settings, memoryLimit: 0 } }, "memoryLimit is 0"],
    [{ settings: { ...JOB.settings, data: "/data" } }, '"data" is unknown'],
    [{ settings: chosen({ method: "scrub" }) }, 'method is "scrub"'],
    [{ settings: chosen({ set: { epochs: 1.5 } }) }, "epochs is 1.5"],
    [{ settings: chosen({ set: { noise: 1 } }) }, '"noise" is unknown'],
    [{ settings: chosen({ method: "metaunlearn" }) }, '"epochs" is unknown'],
  ];
  for (const [change, says] of wrong) {
    const text = JSON.stringify({ ...JOB, ...change });
    assertStringIncludes(assertThrows(() => parseJob(text, "job"), LetheError).message, says);
  }
});

Deno.test("parseResult takes the answer to this job only", () => {
  const hashes = { before: NONCE, after: NONCE };
  const summary: UnlearnSummary = {
    people: 2,
    photographs: 2,
    method: "metaunlearn",
    steps: [{ people: 2, metaLoss: 1 }],
    settings: { metaLearningRate: 0.1 },
    staleStatistics: false,
    change: { relative: 0.25, norms: { "head.bias": 0.25 }, unusual: null },
    targets: "requests.csv",
    device: "WASM (SIMD, one thread)",
    kit: hashes,
    weights: hashes,
  };
  const read = [{ path: "/kit/kit.json", sha256: NONCE, bytes: 2 }];
  const answer = { nonce: NONCE, summary, read };
  assertEquals(Object.keys(parseResult(JSON.stringify(answer), NONCE)), ["summary", "read"]);
  const refused = { value: "a", rule: "b", remedy: "c", exitCode: 2 };
  assertEquals(parseResult(JSON.stringify({ nonce: NONCE, refused }), NONCE), { refused });
  assertEquals(parseResult(JSON.stringify({ nonce: NONCE, failed: "x" }), NONCE), { failed: "x" });
  for (
    const [text, says] of [
      ["Killed", "is not JSON"],
      [JSON.stringify(answer), "its nonce is another"],
      [JSON.stringify({ ...answer, nonce: NONCE.replace("0", "f"), read: [{}] }), "path"],
      [JSON.stringify({ ...answer, nonce: NONCE.replace("0", "f"), summary: {} }), "method"],
      [
        JSON.stringify({ ...answer, more: "iVBOR" }).replace(NONCE, NONCE.replace("0", "f")),
        "more",
      ],
    ]
  ) {
    const other = NONCE.replace("0", "f");
    const { message } = assertThrows(() => parseResult(text, other), LetheError);
    assertStringIncludes(message, says);
  }
});
