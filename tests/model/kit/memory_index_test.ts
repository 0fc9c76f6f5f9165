import { assertEquals, assertThrows } from "@std/assert";
import { LetheError } from "../../../lib/error.ts";
import {
  encodeMemoryIndex,
  type MemoryIndex,
  parseMemoryIndex,
} from "../../../lib/model/kit/memory_index.ts";

const hash = (digit: string) => digit.repeat(64);
const INDEX: MemoryIndex = {
  version: 1,
  rank: 4,
  stale: false,
  match: { distance: 0.4, refusesOwn: 0.01, refusesOthers: 0.5 },
  folds: { count: 5, sets: 1 },
  heldOut: { scale: 1.2, tugOfWar: 0.9 },
  people: ["a", "b"].map((d) => ({ person: hash(d), sha256: hash("1"), salt: hash("2") })),
};

Deno.test("parseMemoryIndex reads what encodeMemoryIndex wrote, people in one order", () => {
  const requests = [{ people: 1, factor: 2 }, { people: 20, factor: 1 }];
  for (
    const index of [
      INDEX,
      { ...INDEX, rank: null, match: null, stale: true, people: [] },
      { ...INDEX, requests, forgotten: 3 },
    ]
  ) {
    assertEquals(parseMemoryIndex(encodeMemoryIndex(index), "memory.json"), index);
  }
  const turned = { ...INDEX, people: INDEX.people.toReversed() };
  assertEquals(encodeMemoryIndex(turned), encodeMemoryIndex(INDEX));
});

Deno.test("parseMemoryIndex refuses a person twice, an unknown field, a missing one and one of another kind", () => {
  const json = JSON.parse(encodeMemoryIndex(INDEX));
  for (
    const wrong of [
      { ...json, people: [json.people[0], json.people[0]] },
      { ...json, people: json.people.toReversed() },
      { ...json, people: [{ ...json.people[0], name: "x" }] },
      { ...json, rank: 0 },
      { ...json, stale: "no" },
      { ...json, match: { ...json.match, more: 1 } },
      { ...json, heldOut: { scale: 1 } },
      { ...json, more: 1 },
      { ...json, requests: [{ people: 5, factor: 1 }, { people: 5, factor: 2 }] },
      { ...json, requests: [{ people: 0, factor: 1 }] },
      { ...json, requests: [{ people: 5, factor: -1 }] },
      { ...json, forgotten: 0.5 },
      { ...json, folds: undefined },
    ]
  ) {
    assertThrows(() => parseMemoryIndex(JSON.stringify(wrong), "memory.json"), LetheError);
  }
});
