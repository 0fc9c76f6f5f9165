import { assertEquals } from "@std/assert";
import { furtherCandidate } from "../../lib/unlearn/further_candidate.ts";
import type { Setting } from "../../lib/unlearn/methods/method.ts";

const NUMBER: Setting = { kind: "number", min: 0, max: 100, help: "" };
const METHOD = {
  settings: { rate: NUMBER, share: { ...NUMBER, max: 1 }, times: { ...NUMBER, kind: "integer" } },
} as const;
const at = (rate: number, share = 1, times = 5) => ({ rate, share, times });

Deno.test("furtherCandidate goes beyond the edge at which the best lies, as far as its neighbour", () => {
  const tried = [at(0.1), at(0.3), at(0.9)];
  assertEquals(furtherCandidate(METHOD, tried, tried[2]), at(2.7));
  assertEquals(furtherCandidate(METHOD, tried, tried[0])!.rate, 0.0333333);
  assertEquals(furtherCandidate(METHOD, tried, tried[1]), undefined);
});

Deno.test("furtherCandidate goes tenfold at most, and keeps to what the method takes", () => {
  const far = [at(0.001), at(50)];
  assertEquals(furtherCandidate(METHOD, far, far[0]), at(0.0001));
  assertEquals(furtherCandidate(METHOD, far, far[1]), at(100));
  const top = [at(1, 0.5), at(1, 1)];
  assertEquals(furtherCandidate(METHOD, top, top[1]), undefined);
  const whole = [at(1, 1, 5), at(1, 1, 2)];
  assertEquals(furtherCandidate(METHOD, whole, whole[1]), at(1, 1, 1));
  const least = [...whole, at(1, 1, 1)];
  assertEquals(furtherCandidate(METHOD, least, least[2]), undefined);
});

Deno.test("furtherCandidate turns to the next setting once the best lies within the first", () => {
  const tried = [at(0.1, 0.2), at(1, 0.2), at(10, 0.2), at(0.1, 0.4), at(1, 0.4), at(10, 0.4)];
  assertEquals(furtherCandidate(METHOD, tried, tried[4]), at(1, 0.8));
  assertEquals(furtherCandidate(METHOD, [...tried, at(1, 0.8)], tried[4]), undefined);
  assertEquals(furtherCandidate(METHOD, [...tried, at(1, 0.8)], at(1, 0.8)), at(1, 1));
});

Deno.test("furtherCandidate leaves settings alone that were not varied, or are zero", () => {
  assertEquals(furtherCandidate(METHOD, [at(1)], at(1)), undefined);
  const zero = [at(0), at(1)];
  assertEquals(furtherCandidate(METHOD, zero, zero[1]), undefined);
});
