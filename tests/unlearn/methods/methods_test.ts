import { assert, assertEquals, assertThrows } from "@std/assert";
import { settingOptions, settingsGiven } from "../../../cli/options/method_options.ts";
import { parseOptions } from "../../../cli/command/parse.ts";
import { LetheError, UsageError } from "../../../lib/error.ts";
import { JsonFields } from "../../../lib/files/json_fields.ts";
import {
  BASELINES,
  DATA_METHODS,
  KIT_METHODS,
  type MethodName,
  methodOf,
  METHODS,
  parseMethodSettings,
  publishedSettings,
} from "../../../lib/unlearn/methods.ts";
import type { Method } from "../../../lib/unlearn/methods/method.ts";

/** A method that a stranger adds: one file. */
const halve: Method<"halve", "share"> = {
  name: "halve",
  title: "Halving",
  source: "a stranger, 2027",
  needs: [],
  settings: { share: { kind: "number", min: 0, max: 1, help: "of each weight that stays" } },
  published: [{ layout: "celeba", upTo: Infinity, settings: { share: 0.5 } }],
  candidates: [{ share: 0.25 }, { share: 0.75 }],
  async run({ theta }, _request, { share }) {
    const { mapWeights } = await import("../../../lib/tensor/weights.ts");
    const tf = await import("@tensorflow/tfjs");
    return { theta: mapWeights(theta, (tensor) => tf.mul(tensor, share)) };
  },
};

Deno.test("Method is all that the command line needs of a new method", () => {
  const table = settingOptions<never>([...METHODS, halve], "as the kit says");
  const { share } = parseOptions(table, ["--share", "0.3"]) as Record<string, number>;
  assertEquals(settingsGiven(halve, { share }), { share: 0.3 });
  assertThrows(() => settingsGiven(halve, { gamma: 1 }), UsageError, "its settings are --share");
  assertThrows(() => parseOptions(table, ["--share", "2"]), UsageError, "share");
});

Deno.test("Method is all that files and recipes need of a new method", () => {
  const fields = (value: Record<string, unknown>) => new JsonFields(value, "job", "mend it");
  assertEquals(parseMethodSettings(halve, fields({ share: 0.1 }), "all"), { share: 0.1 });
  assertEquals(parseMethodSettings(halve, fields({}), "some"), {});
  assertThrows(() => parseMethodSettings(halve, fields({}), "all"), LetheError, "share");
  assertThrows(() => parseMethodSettings(halve, fields({ s: 1 }), "some"), LetheError, "s");
  assertEquals(publishedSettings(halve, "any", 3), { share: 0.5 });
});

Deno.test("METHODS have names of their own, and published settings and candidates within their ranges", () => {
  assertEquals(new Set(METHODS.map(({ name }) => name)).size, METHODS.length);
  for (const method of METHODS) {
    const rows = [...method.published.map(({ settings }) => settings), ...method.candidates];
    for (const row of rows) {
      parseMethodSettings(method, new JsonFields(row, method.name, ""), "all");
    }
    if (method.published.length > 0) {
      for (const layout of ["celeba", "celebahq", "mufac"]) {
        assert(Object.keys(publishedSettings(method, layout, 1000)).length > 0);
      }
    }
  }
});

Deno.test("KIT_METHODS and DATA_METHODS share no method and miss none", () => {
  assertEquals(
    [...KIT_METHODS, ...DATA_METHODS].toSorted(),
    METHODS.map(({ name }) => name).toSorted(),
  );
  assertEquals(BASELINES, [
    "ssd",
    "pgu",
    "jit",
    "influence",
    "scrub",
    "bad-teacher",
    "reference-tuning",
  ]);
});

Deno.test("methodOf refuses a name that is no method's", () => {
  assertThrows(
    () => methodOf("sdd" as MethodName),
    UsageError,
    `method "sdd"; it is ${METHODS.map(({ name }) => name).join(", ")}: take one`,
  );
});
