import { execute } from "../../cli/command/command.ts";
import { metaLearn } from "../../tasks/meta_learn.ts";
import { recordedTerminal } from "./recorded_terminal.ts";
import { assertEquals } from "@std/assert";
import { META_OPTIONS, metaLearnSettings } from "../../cli/options/meta_options.ts";
import { parseOptions } from "../../cli/command/parse.ts";

const settings = (...args: string[]) => metaLearnSettings(parseOptions(META_OPTIONS, args));

Deno.test("metaLearnSettings is the paper's recipe (App. A, Table 8a) when nothing is given", () => {
  const { form, inputs, stepSizeLearningRate, keep, metaLearningRate, epochs } = settings();
  assertEquals(form, { terms: "both", distance: "smooth_l1", scaled: true, align: "mean" });
  assertEquals(inputs, ["logits", "features", "targets", "identities"]);
  assertEquals([stepSizeLearningRate, keep, metaLearningRate, epochs], [null, "none", 0.1, 3]);
});

Deno.test("metaLearnSettings asks for requests of 20, or of the people to forget where they are fewer", () => {
  const size = (forget?: number, ...args: string[]) =>
    metaLearnSettings(parseOptions(META_OPTIONS, args), forget).requestSize;
  assertEquals([size(), size(50), size(20), size(3)], [20, 20, 20, 3]);
  assertEquals(size(3, "--request-size", "8"), 8);
});

Deno.test("metaLearnSettings groups the objective's form and turns learned step sizes on", () => {
  const given = settings(
    ..."--terms first --distance l2 --no-scaled --inputs logits,targets".split(" "),
    ..."--step-sizes learned --step-size-learning-rate 0.2 --keep retain".split(" "),
  );
  assertEquals(given.form, { terms: "first", distance: "l2", scaled: false, align: "mean" });
  assertEquals(given.inputs, ["logits", "targets"]);
  assertEquals([given.stepSizeLearningRate, given.keep], [0.2, "retain"]);
});

Deno.test("metaLearnSettings leaves out the command's other options: a kit records no paths", () => {
  const table = { ...META_OPTIONS, out: { kind: "path", required: true, help: "kit" } } as const;
  assertEquals(metaLearnSettings(parseOptions(table, ["--out", "kit"])), settings());
});

Deno.test("metaLearn refuses options of fold models and rows where none are made, before it looks at anything", async () => {
  const needed = "--model none --split none --data none --out none".split(" ");
  for (const option of ["--folds 3", "--fold-sets 2", "--rounds 4", "--keep-weight 2"]) {
    const terminal = recordedTerminal();
    const code = await execute(metaLearn, [...needed, ...option.split(" ")], terminal);
    assertEquals([code, terminal.noted[0].includes(`${option.split(" ")[0]} without`)], [2, true]);
  }
});
