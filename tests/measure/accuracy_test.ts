import { assertEquals, assertThrows } from "@std/assert";
import { accuracy, accuracyPerClass } from "../../lib/measure/accuracy.ts";

const LOGITS = [3, 1, 0, /**/ 0, 2, 1, /**/ 5, 4, -9, /**/ 1, 1, 0];
const TARGETS = [1, 0, 0, /**/ 0, 0, 1, /**/ 1, 0, 0, /**/ 0, 1, 0];

Deno.test("accuracy is the share of rows whose largest logit is their class, the first of equals", () => {
  assertEquals(accuracy(LOGITS, TARGETS, 3), 2 / 4);
  assertEquals(accuracy([], [], 3), 0);
});

Deno.test("accuracyPerClass counts each class by itself, null where it has no image", () => {
  assertEquals(accuracyPerClass(LOGITS, TARGETS, 3), [1, 0, 0]);
  assertEquals(accuracyPerClass([1, 0, 0, 1], [1, 0, 1, 0], 2), [1 / 2, null]);
});

Deno.test("accuracy counts a row whose logits are not numbers as wrong", () => {
  assertEquals(accuracy([0, 1, NaN, NaN], [0, 1, 1, 0], 2), 1 / 2);
  assertEquals(accuracyPerClass([NaN, NaN], [1, 0], 2), [0, null]);
});

Deno.test("accuracy refuses targets that are not one row per image", () => {
  for (const [logits, targets, classes] of [[[3], [4], 2], [LOGITS, [1, 0, 0], 3], [[], [], 0]]) {
    assertThrows(
      () => accuracy(logits as number[], targets as number[], classes as number),
      RangeError,
      "row after row",
    );
  }
});
