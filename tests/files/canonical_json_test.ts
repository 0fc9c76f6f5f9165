import { assertEquals, assertThrows } from "@std/assert";
import { canonicalJson } from "../../lib/files/canonical_json.ts";

Deno.test("canonicalJson sorts fields by code units, as RFC 8785's section 3.2.3 shows", () => {
  const value = JSON.parse(
    '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh",' +
      '"1":"One","\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control",' +
      '"\\u00f6":"Latin Small Letter O With Diaeresis"}',
  );
  const order = [...canonicalJson(value).matchAll(/:"([^"]*)"/g)].map(([, text]) => text);
  assertEquals(order, [
    "Carriage Return",
    "One",
    "Control",
    "Latin Small Letter O With Diaeresis",
    "Euro Sign",
    "Emoji: Grinning Face",
    "Hebrew Letter Dalet With Dagesh",
  ]);
});

Deno.test("canonicalJson writes RFC 8785's section 3.2.2 example to the byte", () => {
  const value = JSON.parse(String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`);
  assertEquals(
    canonicalJson(value),
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
      String.raw`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
});

Deno.test("canonicalJson gives one text for every layout of a value, and another for another value", () => {
  const [a, b] = ['{"b": [1, {"y": 0, "x": -0}], "a": ""}', '{"a":"","b":[1.0,{"x":0,"y":0}]}'];
  assertEquals(canonicalJson(JSON.parse(a)), canonicalJson(JSON.parse(b)));
  assertEquals(canonicalJson(JSON.parse(a)), '{"a":"","b":[1,{"x":0,"y":0}]}');
});

Deno.test("canonicalJson refuses what JSON cannot hold", () => {
  for (const value of [undefined, NaN, Infinity, 1n, { a: undefined }, new Map(), "\ud800"]) {
    assertThrows(() => canonicalJson(value), TypeError, "has no canonical JSON");
  }
});
