import { assertEquals } from "@std/assert";
import { loadedFiles, type Package } from "./loaded_files.ts";

const packageOf = (files: Readonly<Record<string, string>>): Package =>
  new Map(Object.entries(files).map(([path, text]) => [path, new TextEncoder().encode(text)]));

Deno.test("loadedFiles follows what a program imports through packages, and takes no other form of the same code", () => {
  const packages = new Map([
    [
      "@a/one",
      packageOf({
        "package.json": '{ "main": "dist/one.js" }',
        "dist/package.json": '{ "type": "commonjs" }',
        "dist/one.js": "require('./part'); require('two'); require('fs'); require('./gone');",
        "dist/part/index.js": 'module.exports = require("../data.json");',
        "dist/data.json": "{}",
        "dist/one.min.js": "",
        "dist/one.js.map": "{}",
      }),
    ],
    [
      "two",
      packageOf({
        "package.json":
          '{ "exports": { ".": { "browser": "./web.js", "import": "./two.mjs", "require": "./two.cjs" } } }',
        "two.mjs": 'export * from "./inner.mjs";',
        "inner.mjs": "",
        "two.cjs": "",
        "web.js": "",
      }),
    ],
    ["three", packageOf({ "package.json": "{}", "index.js": "" })],
    ["four", packageOf({ "package.json": "{}", "deep/entry.js": "", "index.js": "" })],
  ]);
  assertEquals(
    Object.fromEntries(loadedFiles(packages, ["@a/one@1.0.0", "four@2.0.0/deep/entry.js"])),
    {
      "@a/one": [
        "dist/data.json",
        "dist/one.js",
        "dist/package.json",
        "dist/part/index.js",
        "package.json",
      ],
      "two": ["package.json", "two.cjs"],
      "four": ["deep/entry.js", "package.json"],
    },
  );
  assertEquals(loadedFiles(packages, ["two"]).get("two"), [
    "inner.mjs",
    "package.json",
    "two.cjs",
    "two.mjs",
  ]);
});
