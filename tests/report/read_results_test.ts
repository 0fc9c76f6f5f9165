import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { LetheError } from "../../lib/error.ts";
import { readResults } from "../../lib/report/read_results.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { smallResults } from "./small_results.ts";

type Json = Record<string, unknown>;

async function read(results: unknown): Promise<unknown> {
  let found: unknown;
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "results.json");
    await Deno.writeTextFile(path, typeof results === "string" ? results : JSON.stringify(results));
    found = await readResults(path);
  });
  return found;
}

Deno.test("readResults gives back what a benchmark wrote", async () => {
  assertEquals(await read(smallResults()), smallResults());
});

Deno.test("readResults refuses what is no number, no list or not there", async () => {
  const spoilt: [(results: Json) => void, string][] = [
    [(results) => delete results.cells, "cells"],
    [(results) => results.version = 2, "version"],
    [(results) => (results.cells as Json[])[0].tugOfWar = "1", "cells"],
    [(results) => ((results.cells as Json[])[0].membership as Json).roc = [], "cells"],
    [(results) => ((results.splits as Json[])[0].forgotten as Json[])[0].files = "a.jpg", "splits"],
    [(results) => (results.summary as Json[])[0].retain = null, "summary"],
    [(results) => (results.analyses as Json[])[0].hardness = {}, "analyses"],
  ];
  for (const [spoil, field] of spoilt) {
    const results = JSON.parse(JSON.stringify(smallResults()));
    spoil(results);
    await assertRejects(() => read(results), LetheError, `results.json: ${field} is `);
  }
  await assertRejects(() => read("{"), LetheError, "is not JSON");
});

Deno.test("readResults refuses a cell whose split is not there or has other people", async () => {
  const { splits, ...rest } = smallResults();
  await assertRejects(
    () => read({ ...rest, splits: splits.slice(1) }),
    LetheError,
    "its split is among the splits",
  );
  const fewer = splits.map((split) => ({ ...split, forgotten: split.forgotten.slice(1) }));
  await assertRejects(() => read({ ...rest, splits: fewer }), LetheError, "its split has 1 and 3");
});
