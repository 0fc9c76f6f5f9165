import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { parseCsv } from "../../lib/files/text/csv.ts";
import { meanLoss } from "../../lib/measure/loss.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { json, WASM } from "./kit_folder.ts";
import { doneHere } from "./run_here.ts";
import { done } from "./run_task.ts";
import { sampleModel } from "./sample_model.ts";
import { tree } from "./small_path.ts";

const FIXTURES = fromFileUrl(new URL("../../fixtures", import.meta.url));
const REQUESTS = join(FIXTURES, "requests");

/** Mean task loss of what a model says of the request photographs. */
async function lossOn(model: string, folder: string): Promise<number> {
  const args = ["--model", model, "--images", REQUESTS, "--json", "said.json"];
  await doneHere("predict", [...args, ...WASM], folder);
  const { labels, images } = await json(folder, "said.json");
  await Deno.remove(join(folder, "said.json"));
  const csv = await Deno.readTextFile(join(REQUESTS, "requests.csv"));
  const { columns, rows } = parseCsv(csv, "requests.csv");
  assertEquals(columns, ["file", "identity", ...labels]);
  assertEquals(images.length, rows.length);
  const logits = images.flatMap((image: { logits: number[] }) => image.logits);
  const targets = images.flatMap(({ file }: { file: string }) =>
    rows.find(({ fields }) => fields[0] === file)!.fields.slice(2).map(Number)
  );
  return meanLoss("multi-label", logits, targets, labels.length);
}

Deno.test("unlearn forgets the sample requests with nothing but --support, time and again", () =>
  inTemporaryFolder(async (folder) => {
    const before = await tree(FIXTURES);
    const hashes: string[] = [];
    for (const out of ["first", "second"]) {
      const said = await done("unlearn", ["--support", REQUESTS, "--out", out], folder);
      assertMatch(said, /^kit: .*fixtures.kit \(the sample, for fixtures.requests only\)\n/);
      assertMatch(said, /\nforgot 8 people in 1 step; labels from requests\.csv\n/);
      hashes.push((await json(join(folder, out), "summary.json")).weights.after);
    }
    assertEquals(hashes[0], hashes[1]);
    assertEquals(await tree(FIXTURES), before, "the sample kit stays as it is");

    const lossBefore = await lossOn(await sampleModel(folder), folder);
    assertLess(lossBefore, await lossOn("first/model", folder));
  }));
