import { assertEquals, assertThrows } from "@std/assert";
import { METHOD_OPTIONS, methodChoice } from "../../cli/options/method_options.ts";
import { parseOptions } from "../../cli/command/parse.ts";
import { UsageError } from "../../lib/error.ts";

const choice = (args: string) => methodChoice(parseOptions(METHOD_OPTIONS, args.split(" ")));

Deno.test("methodChoice is MetaUnlearn at the kit's settings when nothing is given", () => {
  const given = methodChoice(parseOptions(METHOD_OPTIONS, []));
  assertEquals(given, { method: "metaunlearn", seed: 0, set: {} });
});

Deno.test("methodChoice takes a method's own settings, those given and no others", () => {
  const ssd = { method: "ssd", seed: 0, set: { selection: 5 } } as const;
  assertEquals(choice("--method ssd --selection 5"), ssd);
  const jit = choice("--method jit --draws 3 --noise 0.5 --learning-rate 1e-3 --seed 9");
  assertEquals(jit, { method: "jit", seed: 9, set: { learningRate: 1e-3, noise: 0.5, draws: 3 } });
});

Deno.test("methodChoice refuses the settings of another method", () => {
  assertThrows(() => choice("--method ssd --gamma 0.5"), UsageError, "--selection, --dampening");
  assertThrows(() => choice("--epochs 3"), UsageError, "--epochs with --method metaunlearn");
});
