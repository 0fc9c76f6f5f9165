import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { execute } from "../../cli/command/command.ts";
import { helpText } from "../../cli/command/help.ts";
import { audit } from "../../tasks/audit.ts";
import { accept } from "../../tasks/accept.ts";
import { recordedTerminal } from "../cli/recorded_terminal.ts";
import { writeFiles } from "../data/temporary_folder.ts";
import { json } from "../e2e/kit_folder.ts";
import { copy, inCopy } from "../e2e/small_path.ts";

/** Runs `accept` in this process. */
async function accepts(args: readonly string[]) {
  const terminal = recordedTerminal();
  const code = await execute(accept, [...args, "--device", "wasm"], terminal);
  return { code, out: terminal.printed.join("\n"), err: terminal.noted.join("\n") };
}

Deno.test("accept refuses a model that lost too much with exit code 3, and takes itself", () =>
  inCopy(async (folder) => {
    const at = (name: string) => join(folder, name);
    const checks = [
      "--images",
      at("portraits"),
      "--dataset",
      "celeba",
      "--split",
      at("split.json"),
    ];
    const models = ["--before", at("model"), "--after", at("retrained")];
    const strict = ["--max-drop", "0", "--max-label-drop", "0", "--max-loss-rise", "0"];
    const same = await accepts([
      ...["--before", at("model"), "--after", at("model"), ...checks, ...strict],
    ]);
    assertEquals([same.code, same.out.split("\n").at(-1)], [0, "accepted"], same.err);
    assertMatch(same.out, /\nmAP +\d+\.\d +\d+\.\d +0\.0 \(0\.0 to 0\.0\)\n/);
    const nothing = `${at("model")} and ${
      at("model")
    } have the same weights: nothing was unlearned`;
    assertStringIncludes(same.out, nothing);

    const result = ["--json", at("accepted.json")];
    const other = await accepts([...models, ...checks, ...strict, "--whole-interval", ...result]);
    assertEquals([other.code, other.out.split("\n").at(-1)], [3, "refused"]);
    assertMatch(
      other.out,
      /\n(the metric|[A-Z]\w+) may fall by up to \d+\.\d\d points; 0 are allowed\n/,
    );
    assert(!other.out.includes("the same weights"));
    const { verdict, shortfalls, metric, people, identical } = await json(folder, "accepted.json");
    assertEquals([verdict, identical], ["refused", false]);
    assert(shortfalls.length > 0 && people > 2);
    assert(metric.intervals.change.low <= metric.change);

    const unasked = await accepts([...models, ...checks]);
    assertEquals([unasked.code, unasked.out.split("\n").at(-1)], [0, "no threshold given"]);
  }));

Deno.test("accept takes a folder with some of the model's labels, and names one that it lacks", () =>
  inCopy(async (folder) => {
    const { labels } = await json(join(folder, "model"), "config.json");
    const [label] = labels;
    const [image] = [...Deno.readDirSync(join(folder, "requests"))]
      .map(({ name }) => name).filter((name) => name.endsWith(".png"));
    const models = ["--before", "model", "--after", "retrained"]
      .map((word) => word.startsWith("-") ? word : join(folder, word));
    const run = async (csv: string) => {
      await writeFiles(folder, { "checks/labels.csv": csv });
      await copy(join(folder, "requests", image), join(folder, "checks/a.png"));
      await copy(join(folder, "requests", image), join(folder, "checks/b.png"));
      return await accepts([...models, "--images", join(folder, "checks"), "--max-drop", "100"]);
    };
    const some = await run(`file,identity,${label}\na.png,A,1\nb.png,B,0\n`);
    assertEquals(some.code, 0, some.err);
    assertStringIncludes(some.out, `\n  ${label} `);
    assertStringIncludes(some.out, "2 images of 2 people");
    const others = labels.slice(1).join(", ");
    assertStringIncludes(some.out, `\nnot among the images' labels, so not judged: ${others}\n`);
    assert(!some.out.includes("no image has it"));
    // No positive: the metric is undefined, and an undefined metric keeps no threshold.
    const none = await run(`file,identity,${label}\na.png,A,0\nb.png,B,0\n`);
    assertEquals(none.code, 3);
    assertStringIncludes(none.out, "the metric is undefined");
    assertStringIncludes(none.out, `\nno image has it, so not judged: ${label}\n`);
    const strange = await run("file,identity,Purple\na.png,A,1\nb.png,B,0\n");
    assertEquals(strange.code, 1);
    assertStringIncludes(strange.err, "has the label Purple, which the model does not predict");
  }));

Deno.test("accept --help says that exit code 3 is a missed threshold, other commands that an audit failed", () => {
  assertStringIncludes(helpText(accept), "3 refused: a threshold is missed, 130");
  assertStringIncludes(helpText(audit), "3 audit failed, 130");
});
