import { assertEquals, assertThrows } from "@std/assert";
import { LetheError } from "../../lib/error.ts";
import { JsonFields, parseJsonObject } from "../../lib/files/json_fields.ts";
import * as is from "../../lib/files/json_kinds.ts";
import type { Kind } from "../../lib/files/json_kinds.ts";

const KINDS: [string, Kind<unknown>, unknown[], unknown[]][] = [
  ["integer", is.integer(1, 3), [1, 3], [0, 4, 1.5, "1", NaN, null, undefined, [1]]],
  ["real", is.real(0, 1), [0, 0.5, 1], [-0.1, 1.1, NaN, "0", null]],
  ["oneOf", is.oneOf(["a", "b"]), ["a", "b"], ["c", "", 0, ["a"]]],
  ["line", is.line(3), ["a", "abc", "ä b"], ["", "abcd", "a\n", "\u007f", 1]],
  ["HASH", is.HASH, ["0f".repeat(32)], ["0F".repeat(32), "0f".repeat(31), 5]],
  ["nullable", is.nullable(is.HASH), [null, "0f".repeat(32)], [undefined, "x"]],
  ["list", is.list(is.integer(0, 9), 1, 2), [[1], [1, 1]], [[], [1, 2, 3], [10], 1, { length: 1 }]],
  ["list", is.list(is.integer(0, 9), 0, 2, { distinct: true }), [[], [1, 2]], [[1, 1]]],
];

for (const [name, kind, accepted, refused] of KINDS) {
  Deno.test(`${name} accepts ${kind.rule} and nothing else`, () => {
    for (const value of accepted) assertEquals(kind.accepts(value), true, `${value}`);
    for (const value of refused) assertEquals(kind.accepts(value), false, `${value}`);
  });
}

Deno.test("parseJsonObject finds names that come twice in one object only", () => {
  const parse = (text: string) => parseJsonObject(text, "f", "mend it");
  const valid = '{"a": {"b": 1, "c": ["a", "a"]}, "b": {"b": "a\\" : {"}, "": "a" }';
  assertEquals(parse(valid), JSON.parse(valid));
  for (const text of ['{"a":1, "b":2, "a" : 3}', '{"x":[{"q":[],"q":1}]}', '{"\\u0071":1,"q":1}']) {
    assertThrows(() => parse(text), LetheError, " twice; a field has one value: mend it");
  }
});

Deno.test("parseJsonObject refuses what is not an object", () => {
  for (const text of ["", "{", "null", "[]", '"a"', "{}{}"]) {
    assertThrows(() => parseJsonObject(text, "f", "mend it"), LetheError, "it holds a JSON object");
  }
});

Deno.test("JsonFields names the field that is missing, wrong or unknown", () => {
  const fields = new JsonFields({ a: 1, b: { c: "x" }, d: 2 }, "f", "mend it");
  assertEquals(fields.read("a", is.integer(0, 9)), 1);
  assertEquals(fields.optional("e", is.integer(0, 9)), undefined);
  assertThrows(
    () => fields.read("e", is.line(9)),
    LetheError,
    "f: e is missing; it is a line of 1",
  );
  assertThrows(() => fields.read("toString", is.line(9)), LetheError, "f: toString is missing");
  assertThrows(
    () => fields.within("b").read("c", is.real(0, 1)),
    LetheError,
    'f: b: c is "x"; it is a number from 0 to 1: mend it',
  );
  assertThrows(
    () => fields.end(),
    LetheError,
    'f: "d" is unknown; the fields are a, e, toString, b',
  );
});

Deno.test("parseJsonObject refuses what nests too deep before anything walks through it, texts aside", () => {
  const nested = (levels: number) => `{"a":${"[".repeat(levels)}${"]".repeat(levels)}}`;
  const parse = (text: string) => parseJsonObject(text, "f", "mend it");
  assertEquals(Object.keys(parse(nested(60))), ["a"]);
  for (const levels of [64, 200_000]) {
    assertThrows(() => parse(nested(levels)), LetheError, "f nests more than 64 levels deep");
  }
  const text = JSON.stringify({ a: '["'.repeat(1000) });
  assertEquals(Object.keys(parse(text)), ["a"], "brackets within a text are none");
});
