import { assertEquals, assertThrows } from "@std/assert";
import type { OptionTable } from "../../cli/options.ts";
import { parseOptions } from "../../cli/parse.ts";
import { UsageError } from "../../lib/error.ts";

const table = {
  out: { kind: "path", required: true, help: "where to write" },
  epochs: { kind: "integer", min: 1, max: 90, default: 30, help: "epochs" },
  metaLearningRate: { kind: "number", min: 0, help: "eta" },
  device: { kind: "choice", of: ["auto", "webgpu", "wasm"], default: "auto", help: "device" },
  attributes: { kind: "list", help: "labels" },
  scaled: { kind: "flag", default: true, help: "Eq. 6" },
  withoutForget: { kind: "flag", help: "the oracle" },
} as const satisfies OptionTable;

const given = (...args: string[]) => parseOptions(table, ["--out", "x", ...args]);

/** The command line is refused with one line that holds all of `parts`. */
function refuses(args: string[], ...parts: string[]): void {
  const { message } = assertThrows(() => parseOptions(table, args), UsageError);
  for (const part of parts) {
    if (!message.includes(part)) throw new Error(`"${message}" does not say "${part}"`);
  }
  assertEquals(message.split("\n").length, 1);
}

Deno.test("parseOptions gives defaults, and nothing for what has none", () => {
  assertEquals(given(), {
    out: "x",
    epochs: 30,
    metaLearningRate: undefined,
    device: "auto",
    attributes: undefined,
    scaled: true,
    withoutForget: false,
  });
});

Deno.test("parseOptions reads both spellings, numbers, lists and flags", () => {
  const values = given(
    "--epochs=3",
    "--meta-learning-rate",
    "1e-3",
    "--attributes",
    "Smiling, Young",
    "--no-scaled",
    "--without-forget",
  );
  assertEquals(values.epochs, 3);
  assertEquals(values.metaLearningRate, 0.001);
  assertEquals(values.attributes, ["Smiling", "Young"]);
  assertEquals(values.scaled, false);
  assertEquals(values.withoutForget, true);
});

Deno.test("parseOptions names the nearest option for an unknown one", () => {
  refuses(["--out", "x", "--epoch", "3"], "--epoch is no option", "did you mean --epochs?");
  refuses(["--out", "x", "--wihtout-forget"], "did you mean --without-forget?");
  refuses(["--out", "x", "--zzzzzzzz"], "see --help");
});

Deno.test("parseOptions names the nearest choice for an unknown one", () => {
  refuses(["--out", "x", "--device", "wsam"], "auto, webgpu, wasm", "did you mean wasm?");
});

Deno.test("parseOptions refuses missing, empty, repeated and stray values", () => {
  refuses([], "--out is missing");
  refuses(["--out="], "--out has no value");
  refuses(["--out", ""], "--out has no value");
  refuses(["--out", "--epochs", "3"], "--out has no value");
  refuses(["--out", "x", "--out", "y"], "--out is given twice");
  refuses(["--out", "x", "stray"], "stray belongs to no option");
});

Deno.test("parseOptions refuses numbers outside their range or not numbers at all", () => {
  refuses(["--out", "x", "--epochs", "0"], "a whole number from 1 to 90");
  refuses(["--out", "x", "--epochs", "2.5"], "a whole number");
  refuses(["--out", "x", "--epochs", "0x10"], "a whole number");
  refuses(["--out", "x", "--meta-learning-rate=-1"], "at least 0");
  refuses(["--out", "x", "--meta-learning-rate", "fast"], "it takes a number");
});
