import { assertEquals } from "@std/assert";
import { labelNotes } from "../../lib/data/label_notes.ts";
import type { Dataset, Task } from "../../lib/data/sample.ts";

const dataset = (task: Task, labels: string[], targets: number[][]): Dataset => ({
  name: "folder",
  root: "",
  task,
  labels,
  samples: targets.map((own, i) => ({ file: `${i}.jpg`, identity: String(i), targets: own })),
  absent: 0,
  unread: [],
});

Deno.test("labelNotes names labels that no image has, or every one", () => {
  const labels = ["Bald", "Smiling", "Young"];
  assertEquals(labelNotes(dataset("multi-label", labels, [[0, 1, 1], [0, 0, 1]])), [
    "no image has Bald: nothing is learned of that, and mAP passes over it",
    "every image has Young: nothing is learned of that, and it lifts mAP",
  ]);
  assertEquals(labelNotes(dataset("multi-label", labels, [[1, 1, 0], [0, 0, 1]])), []);
});

Deno.test("labelNotes shortens a long list", () => {
  const labels = ["a", "b", "c", "d", "e", "f", "g"];
  assertEquals(
    labelNotes(dataset("multi-label", labels, [[1, 0, 0, 0, 0, 0, 0], labels.map(() => 0)])),
    [
      "no image has b, c, d, e, f and 1 more: nothing is learned of that, and mAP passes over it",
    ],
  );
});

Deno.test("labelNotes says where all images are of one class", () => {
  const labels = ["young", "old"];
  assertEquals(labelNotes(dataset("classes", labels, [[1], [1]])), [
    "every image is of class old: there is nothing to tell apart",
  ]);
  assertEquals(labelNotes(dataset("classes", [...labels, "never"], [[1], [0]])), []);
});
