import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { LetheError } from "../../../lib/error.ts";
import { identityHash, newIdentityKey } from "../../../lib/model/kit/identity_key.ts";
import {
  encodeTrainingImages,
  parseTrainingImages,
  trainingImageHash,
} from "../../../lib/model/kit/training_images.ts";

const SHA256 = "5".repeat(64);

Deno.test("trainingImageHash depends on the key, and is no identity's hash", () => {
  const key = newIdentityKey();
  assertEquals(trainingImageHash(key, SHA256), trainingImageHash(key, SHA256));
  assertNotEquals(trainingImageHash(key, SHA256), trainingImageHash(newIdentityKey(), SHA256));
  assertNotEquals(trainingImageHash(key, SHA256), identityHash(key, SHA256));
});

Deno.test("parseTrainingImages gives back what encodeTrainingImages wrote", () => {
  const key = newIdentityKey();
  const hashes = ["1", "2", "3"].map((digit) => trainingImageHash(key, digit.repeat(64))).sort();
  for (const some of [[], hashes]) {
    const read = parseTrainingImages(encodeTrainingImages(some), "x");
    assertEquals([...read], some);
    assertEquals([read.size, hashes.every((hash) => read.has(hash))], [
      some.length,
      some.length > 0,
    ]);
    assertEquals(["", "0".repeat(64), "f".repeat(64)].some((hash) => read.has(hash)), false);
  }
});

Deno.test("parseTrainingImages names the line that is no hash, out of order or cut off", () => {
  const [a, b] = ["a".repeat(64), "b".repeat(64)];
  const wrong: [string, number][] = [
    [`${a}\nportraits/7.png\n`, 2],
    [`${a.toUpperCase()}\n`, 1],
    [`${a}\n${a}\n`, 2],
    [`${b}\n${a}\n`, 2],
    [`${a}\n${b}`, 2],
    [`\n${a}\n`, 1],
    [`${a}\r\n`, 1],
  ];
  for (const [text, line] of wrong) {
    assertThrows(
      () => parseTrainingImages(new TextEncoder().encode(text), "kit/training_images.txt"),
      LetheError,
      `kit/training_images.txt line ${line} is not `,
    );
  }
});
