import { accept } from "../../tasks/accept.ts";
import { audit } from "../../tasks/audit.ts";
import { ledger } from "../../tasks/ledger.ts";
import { metaLearn } from "../../tasks/meta_learn.ts";
import { tables as tablesTask } from "../../tasks/tables.ts";
import { assertEquals, assertThrows } from "@std/assert";
import type { OptionTable, OptionValues } from "../../cli/command/options.ts";
import { parseOptions } from "../../cli/command/parse.ts";
import { UsageError } from "../../lib/error.ts";

const table = {
  out: { kind: "path", required: true, help: "where to write" },
  epochs: { kind: "integer", min: 1, max: 90, default: 30, help: "epochs" },
  metaLearningRate: { kind: "number", min: 0, help: "eta" },
  device: { kind: "choice", of: ["auto", "webgpu", "wasm"], default: "auto", help: "device" },
  attributes: { kind: "list", help: "labels" },
  scaled: { kind: "flag", default: true, help: "Eq. 6" },
  withoutForget: { kind: "flag", help: "the oracle" },
  inputs: { kind: "list", of: ["logits", "targets"], default: ["logits"], help: "rows" },
  json: { kind: "json", help: "for machines" },
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
    inputs: ["logits"],
    json: undefined,
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

Deno.test("parseOptions takes short, capital, negated and inherited names for unknown ones", () => {
  refuses(["--out", "x", "-o", "y"], "-o is no option");
  refuses(["--OUT", "x"], "--OUT is no option", "did you mean --out?");
  refuses(["--out", "x", "--no-epochs"], "--no-epochs is no option");
  refuses(["--hlep"], "did you mean --help?");
  refuses(["--out", "x", "--__proto__", "y"], "--__proto__ is no option");
});

Deno.test("parseOptions names the nearest choice for an unknown one", () => {
  refuses(["--out", "x", "--device", "wsam"], "auto, webgpu, wasm", "did you mean wasm?");
  refuses(["--out", "x", "--inputs", "logits,target"], "did you mean targets?");
  refuses(["--out", "x", "--device", "cpu"], "auto, webgpu, wasm", "choose one of them");
});

Deno.test("parseOptions refuses missing, empty, repeated and stray values", () => {
  refuses([], "--out is missing");
  refuses(["--out="], "--out has no value");
  refuses(["--out", ""], "--out has no value");
  refuses(["--out", "--epochs", "3"], "--out has no value");
  refuses(["--out", "x", "--out", "y"], "--out is given twice");
  refuses(["--out", "x", "stray"], "stray belongs to no option");
  refuses(["--out", "x", ""], "an empty word belongs to no option");
  refuses(["--out", "x", "--", "stray"], "-- is no option");
  refuses(["--out"], "--out has no value", "write --out PATH");
  refuses(["--out", "-x"], "--out has no value", "--out=VALUE");
  refuses(["--out", ""], "--out has no value");
  refuses(["--out", "x", "-1"], "-1 is no option");
  refuses(["--out", "x", "-"], "- belongs to no option");
  refuses(["--out", "x", "--json="], "--json has no value");
});

Deno.test("parseOptions refuses numbers outside their range or not numbers at all", () => {
  refuses(["--out", "x", "--epochs", "0"], "a whole number from 1 to 90");
  refuses(["--out", "x", "--epochs", "2.5"], "a whole number");
  refuses(["--out", "x", "--epochs", "0x10"], "a whole number");
  refuses(["--out", "x", "--meta-learning-rate=-1"], "at least 0");
  refuses(["--out", "x", "--meta-learning-rate", "fast"], "it takes a number");
});

Deno.test("parseOptions reads negative numbers, a lone dash, = inside values and a leading --", () => {
  const shift = { shift: { kind: "number", max: 0, help: "down" } } as const;
  assertEquals(parseOptions(shift, ["--shift", "-1e-3"]), { shift: -0.001 });
  assertEquals(parseOptions(shift, ["--shift=-.5"]), { shift: -0.5 });
  assertThrows(() => parseOptions(shift, ["--shift", "1"]), UsageError, "of at most 0");
  assertEquals(parseOptions(table, ["--", "--out", "-"]).out, "-");
  assertEquals(parseOptions(table, ["--out=--a=b"]).out, "--a=b");
});

Deno.test("parseOptions takes --json with a file or alone", () => {
  assertEquals(given("--json", "a.json").json, "a.json");
  assertEquals(given("--json").json, "-");
  assertEquals(given("--json", "--epochs", "2").json, "-");
});

Deno.test("parseOptions refuses flags with values and flags given twice", () => {
  refuses(["--out", "x", "--scaled=maybe"], "takes no value", "write --scaled or --no-scaled");
  refuses(["--out", "x", "--no-scaled=1"], "takes no value", "write --no-scaled");
  refuses(["--out", "x", "--without-forget", "yes"], "yes belongs to no option");
  refuses(["--out", "x", "--without-forget", "true"], "true belongs to no option");
  refuses(["--out", "x", "--without-forget", "-1"], "takes no value");
  refuses(["--out", "x", "--scaled", "--no-scaled"], "--no-scaled is given twice", "keep one");
});

Deno.test("parseOptions refuses lists with gaps or repetitions", () => {
  refuses(["--out", "x", "--attributes", "Male,,Young"], "--attributes Male,,Young", "comma");
  refuses(["--out", "x", "--attributes", "Male,Male"], "names nothing twice", "drop one Male");
  refuses(
    ["--out", "x", "--attributes", "a", "--attributes", "b"],
    "separate its values by commas",
  );
});

Deno.test("OptionValues gives each kind of row its type, undefined only where nothing is assumed", () => {
  const values: OptionValues<typeof table> = given("--device", "wasm");
  // Each assignment compiles only when the type is no wider, each expected error only when no narrower.
  const device: "auto" | "webgpu" | "wasm" = values.device;
  const epochs: number = values.epochs;
  const inputs: readonly ("logits" | "targets")[] = values.inputs;
  const flag: boolean = values.withoutForget;
  // @ts-expect-error: no default, so it may be undefined
  const rate: number = values.metaLearningRate;
  // @ts-expect-error: no default, so it may be undefined
  const json: string = values.json;
  assertEquals([device, epochs, inputs, flag, rate, json], [
    "wasm",
    30,
    ["logits"],
    false,
    undefined,
    undefined,
  ]);
});

Deno.test("parseOptions hands over another program's options as they are, to the option that takes them", () => {
  const table = {
    sbatch: { kind: "text", default: "", dashes: true, help: "options" },
    retries: { kind: "integer", default: 2, help: "tries" },
  } as const;
  const given = "--partition=gpu --gres=gpu:1";
  for (const args of [["--sbatch", given], [`--sbatch=${given}`]]) {
    assertEquals(parseOptions(table, [...args, "--retries", "3"]), { sbatch: given, retries: 3 });
  }
  assertThrows(
    () => parseOptions(table, ["--retries", "--sbatch", given]),
    UsageError,
    "--retries",
  );
});

Deno.test("parseOptions refuses an option that does nothing without another one, unless that is given", () => {
  const table = {
    memory: { kind: "text", default: "none", help: "rank" },
    align: { kind: "choice", of: ["mean", "folds"], default: "mean", help: "how" },
    folds: { kind: "integer", default: 5, with: ["memory", "align=folds"], help: "models" },
    check: { kind: "flag", with: ["memory"], help: "look" },
  } as const;
  for (const first of ["--memory 4", "--align folds", "--memory full --check"]) {
    assertEquals(parseOptions(table, [...first.split(" "), "--folds", "3"]).folds, 3);
  }
  for (
    const [line, says] of [
      ["--folds 5", "--folds without --memory or --align folds"],
      ["--folds 3 --memory none", "--folds without --memory or --align folds"],
      ["--folds 3 --align mean", "--folds without --memory or --align folds"],
      ["--align folds --check", "--check without --memory"],
    ]
  ) assertThrows(() => parseOptions(table, line.split(" ")), UsageError, says);
  assertEquals(parseOptions(table, []).folds, 5);
});

Deno.test("parseOptions finds every option that a task's option depends on in that task's table", () => {
  const tables = [metaLearn, accept, ledger, audit, tablesTask].map(({ options }): OptionTable =>
    options
  );
  for (const table of tables) {
    for (const { with: others = [] } of Object.values(table)) {
      for (const other of others) {
        const [name, value] = other.split("=");
        const row = table[name];
        assertEquals(row !== undefined, true, other);
        if (value !== undefined && row.kind === "choice") {
          assertEquals(row.of.includes(value), true);
        }
      }
    }
  }
});
