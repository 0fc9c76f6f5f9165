import { assertEquals, assertThrows } from "@std/assert";
import { parseGridSettings } from "../../lib/benchmark/parse_settings.ts";
import { GRID_PRESETS } from "../../lib/benchmark/presets.ts";
import { LetheError } from "../../lib/error.ts";
import { TINY_GRID } from "./tiny_grid.ts";

const parse = (value: unknown) => parseGridSettings(JSON.stringify(value), "grid.json");

Deno.test("parseGridSettings reads every preset back as it is", () => {
  for (const preset of [TINY_GRID, ...Object.values(GRID_PRESETS)]) {
    assertEquals(parse(preset), preset);
  }
});

Deno.test("parseGridSettings assumes what may be left out", () => {
  const { requestSizeForOne: _, training: __, metaLearning: ___, ...data } = TINY_GRID.data[0];
  const { measure: ____, ...rest } = TINY_GRID;
  const settings = parse({ ...rest, data: [data] });
  assertEquals(settings.data[0], {
    ...data,
    training: {},
    metaLearning: {},
    requestSizeForOne: 10,
  });
  assertEquals(settings.measure, { rmia: { a: 0.3, gamma: 1 }, draws: 1000 });
});

Deno.test("parseGridSettings refuses what is wrong, naming the field", () => {
  const refuses = (value: unknown, message: string) =>
    assertThrows(() => parse(value), LetheError, message);
  const data = TINY_GRID.data[0];
  refuses([], "grid.json holds");
  refuses({ ...TINY_GRID, version: 2 }, "version is 2");
  refuses({ ...TINY_GRID, seeds: [0, 0] }, "seeds is [0,0]");
  refuses({ ...TINY_GRID, seed: 0 }, '"seed" is unknown');
  refuses({ ...TINY_GRID, methods: [] }, "methods is []");
  refuses({ ...TINY_GRID, methods: [{ name: "A", method: "magic" }] }, "methods[0]: method is");
  const row = { name: "A", method: "ssd", candidates: [{ selektion: 1 }] };
  refuses({ ...TINY_GRID, methods: [row] }, "methods[0]: candidates is");
  for (const selection of [-3, "a", 1e400]) {
    refuses(
      { ...TINY_GRID, methods: [{ ...row, candidates: [{ selection }] }] },
      "each an object with some of selection (a number from 0 to ",
    );
  }
  const other = { name: "A", method: "ssd", metaLearning: {} };
  refuses({ ...TINY_GRID, methods: [other] }, 'methods[0]: "metaLearning" is unknown');
  refuses({ ...TINY_GRID, data: [data, data] }, "data names portraits twice");
  refuses({ ...TINY_GRID, data: [{ ...data, root: "." }] }, 'data[0]: "root" is unknown');
  refuses({ ...TINY_GRID, data: [{ ...data, recipe: "x" }] }, "data[0]: recipe is");
  refuses({ ...TINY_GRID, data: [{ ...data, training: { epoch: 1 } }] }, '"epoch" is unknown');
  refuses(
    { ...TINY_GRID, data: [{ ...data, metaLearning: { form: { terms: "third" } } }] },
    "metaLearning: form: terms is",
  );
  refuses({ ...TINY_GRID, measure: { rmia: { b: 1 } } }, 'measure: rmia: "b" is unknown');
  refuses({ ...TINY_GRID, sequence: { requests: 1 } }, "sequence: requests is 1");
});
