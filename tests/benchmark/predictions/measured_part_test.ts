import { assert, assertEquals } from "@std/assert";
import { measuredPart } from "../../../lib/benchmark/predictions/measured_part.ts";
import { targetRows } from "../../../lib/data/loader/stored_source.ts";
import type { Sample, Task } from "../../../lib/data/sample.ts";
import { evaluation } from "../../../lib/measure/evaluation.ts";
import { sampleLosses } from "../../../lib/measure/loss.ts";
import { perPerson } from "../../../lib/measure/people.ts";
import { Random } from "../../../lib/random.ts";
import type { SplitData } from "../../../lib/run/split_data.ts";

const LABELS = ["smiling", "hat", "young"];

/** A split whose part `retain` has so many images, of people whose images lie scattered, and logits of them. */
function drawn(task: Task, n: number) {
  const random = new Random(n, "measured part");
  const samples = Array.from({ length: n }, (_, i): Sample => ({
    file: `${i}.png`,
    identity: `person ${random.integer(40)}`,
    targets: task === "classes" ? [random.integer(3)] : LABELS.map(() => random.integer(2)),
  }));
  const people = [...new Set(samples.map(({ identity }) => identity))];
  const data = {
    split: {
      support: {},
      identities: { retain: people, forget: ["nobody"], test: [], val: [] },
    },
    dataset: { task, labels: LABELS, samples },
  } as unknown as SplitData; // what else a split says is not asked for
  const logits = Float32Array.from({ length: 3 * n }, () => random.normal());
  return { data, samples, logits };
}

Deno.test("measuredPart says piece by piece what is said of all rows at once, bit for bit", () => {
  for (const task of ["multi-label", "classes"] as const) {
    const { data, samples, logits } = drawn(task, 1300);
    const targets = targetRows(samples, task, 3);
    const identities = samples.map(({ identity }) => identity);
    let most = 0;
    const rows = {
      length: logits.length,
      read: (from: number, into: Float32Array) => {
        most = Math.max(most, into.length);
        into.set(logits.subarray(from, from + into.length));
      },
    };
    const part = measuredPart(data, "retain");
    assertEquals([part.length, part.identities], [1300, identities]);
    assertEquals(part.evaluate(rows), evaluation(task, logits, targets, LABELS));
    assertEquals(part.losses(rows), sampleLosses(task, logits, targets, 3));
    assertEquals(
      [...part.people(rows)],
      [...perPerson(task, { identities, logits, targets }, 3)],
    );
    const pieces: number[] = [];
    for (const piece of part.pieces(rows)) pieces.push(...piece);
    assertEquals(pieces, [...logits]);
    const chosen = [7, 8, 9, 600, 3, 1299];
    const of = (all: Float32Array) =>
      Float32Array.from(chosen.flatMap((place) => [...all.subarray(3 * place, 3 * place + 3)]));
    assertEquals(part.evaluate(rows, chosen), evaluation(task, of(logits), of(targets), LABELS));
    assert(most <= 3 * 512, `${most} numbers at a time`);
  }
});
