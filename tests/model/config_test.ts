import { assertEquals, assertThrows } from "@std/assert";
import { LetheError } from "../../lib/error.ts";
import { parseConfig, presetConfig, PRESETS } from "../../lib/model/config.ts";
import { SMALL_CONFIG } from "./small_kit.ts";

for (const [name, preset] of Object.entries(PRESETS)) {
  Deno.test(`PRESETS.${name} gives a config that parseConfig reads back`, () => {
    const config = presetConfig(preset, "classes", ["young", "old"]);
    assertEquals(parseConfig(JSON.stringify(config), "f"), config);
    assertEquals(name, `${name.match(/^vit_[a-z]+/)}_patch${config.patchSize}_${config.imageSize}`);
  });
}

/** Changes to a valid config, and what the one-line error says of each. */
const WRONG: [string, Record<string, unknown>, string][] = [
  ["another architecture", { architecture: "resnet" }, 'architecture is "resnet"; it is "vit": '],
  [
    "a missing size",
    { depth: undefined },
    "f: depth is missing; it is a whole number from 1 to 128",
  ],
  ["a size of 0", { patchSize: 0 }, "patchSize is 0; "],
  ["a size that is text", { dim: "64" }, 'dim is "64"; it is a whole number from 1 to 8192: '],
  ["a size past the limit", { dim: 1e9 }, "dim is 1000000000; "],
  ["half a block", { depth: 1.5 }, "depth is 1.5; "],
  ["heads that do not divide dim", { heads: 3 }, "dim is 4; it is a multiple of heads, 3: "],
  [
    "patches that do not tile",
    { patchSize: 3 },
    "imageSize is 8; it is a multiple of patchSize, 3: ",
  ],
  [
    "more patches than attention could hold",
    { imageSize: 4096, patchSize: 1 },
    "make 16777216 patches; an image has at most 4096: ",
  ],
  ["an epsilon of 0", { layerNormEps: 0 }, "layerNormEps is 0; "],
  ["two channels", { mean: [0.5, 0.5] }, "mean is [0.5,0.5]; it is a list of 3 elements"],
  ["a deviation of 0", { std: [1, 0, 1] }, "std is [1,0,1]; "],
  ["a mean that is null", { mean: [0, null, 0] }, "mean is [0,null,0]; "],
  [
    "another task",
    { task: "regression" },
    'task is "regression"; it is one of multi-label, classes: ',
  ],
  ["no labels", { labels: [] }, "labels is []; "],
  ["a label that comes twice", { labels: ["hat", "hat"] }, 'labels is ["hat","hat"]; '],
  ["a label of two lines", { labels: ["a\nb"] }, 'labels is ["a\\nb"]; '],
  ["a misspelt field", { patchsize: 4 }, '"patchsize" is unknown; the fields are architecture, '],
];

for (const [what, changes, message] of WRONG) {
  Deno.test(`parseConfig refuses ${what}`, () => {
    const text = JSON.stringify({ ...SMALL_CONFIG, ...changes });
    assertThrows(() => parseConfig(text, "f"), LetheError, message);
  });
}

Deno.test("parseConfig refuses what is not a JSON object, or names a field twice", () => {
  for (const text of ["", "[]", "null"]) {
    assertThrows(() => parseConfig(text, "f"), LetheError, "it holds a JSON object");
  }
  const twice = JSON.stringify(SMALL_CONFIG).replace("{", '{"dim":8,');
  assertThrows(() => parseConfig(twice, "f"), LetheError, 'f names "dim" twice');
});
