import { assertEquals } from "@std/assert";
import type { Task } from "../../lib/data/sample.ts";
import { evaluation } from "../../lib/measure/evaluation.ts";
import { streamEvaluation } from "../../lib/measure/streamed_evaluation.ts";
import { Random } from "../../lib/random.ts";

const LABELS = ["smiling", "hat", "__proto__", "never"];

/** Logits and targets of n images; nobody has the last label. */
function drawn(task: Task, n: number) {
  const random = new Random(n, "streamed evaluation");
  const logits = Float32Array.from({ length: 4 * n }, () => Math.round(8 * random.normal()) / 8);
  const targets = new Uint8Array(4 * n);
  for (let i = 0; i < n; i++) {
    if (task === "classes") targets[4 * i + random.integer(3)] = 1;
    else for (let label = 0; label < 3; label++) targets[4 * i + label] = random.integer(2);
  }
  return { logits, targets };
}

function streamed(task: Task, n: number, choices: readonly (readonly number[])[]) {
  const { logits, targets } = drawn(task, n);
  using stream = streamEvaluation(task, LABELS, n, choices);
  for (let at = 0; at < 4 * n; at += 4 * 7) {
    stream.add(logits.subarray(at, at + 28), targets.subarray(at, at + 28));
  }
  return stream.finish();
}

Deno.test("streamEvaluation says what evaluation says of all images together, bit for bit", () => {
  for (const n of [0, 1, 100]) {
    for (const task of ["multi-label", "classes"] as const) {
      const { logits, targets } = drawn(task, n);
      assertEquals(streamed(task, n, [[0, 1, 2, 3]]), [evaluation(task, logits, targets, LABELS)]);
    }
  }
});

Deno.test("streamEvaluation counts the labels of each choice, in its order", () => {
  const { logits, targets } = drawn("multi-label", 50);
  const columns = (choice: readonly number[]) => {
    const of = (rows: ArrayLike<number>) =>
      Array.from(
        { length: 50 },
        (_, i) => choice.map((label) => rows[4 * i + label]),
      ).flat();
    const labels = choice.map((label) => LABELS[label]);
    return evaluation("multi-label", Float32Array.from(of(logits)), of(targets), labels);
  };
  assertEquals(streamed("multi-label", 50, [[2, 0], [3]]), [columns([2, 0]), columns([3])]);
  assertEquals(streamed("multi-label", 50, [[3]])[0].metric, null);
});
