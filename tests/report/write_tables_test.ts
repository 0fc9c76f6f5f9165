import { assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { LetheError } from "../../lib/error.ts";
import { writeTables } from "../../lib/report/write_tables.ts";
import { inTemporaryFolder, writeFiles } from "../data/temporary_folder.ts";

const PROJECT = fromFileUrl(new URL("../../", import.meta.url));
const RESULT = {
  command: "deno task bench",
  commit: "0123abc",
  adapter: "a card",
  machine: "2 cores",
  date: "2026-11-26",
  columns: ["step", "ms"],
  rows: [["training", "1.5"], ["a | b", "2"]],
};
const project = (readme: string, result: unknown = RESULT) => ({
  "README.md": readme,
  "lib/room/README.md": "nothing\n",
  "tests/room/README.md": "nothing\n",
  ".github/A.md": "nothing\n",
  "fixtures/results/speed.json": JSON.stringify(result),
});
const PLACE = "before\n<!-- results speed -->\nold\n<!-- /results -->\nafter\n";

Deno.test("writeTables finds every README as its results say", async () => {
  assertEquals((await writeTables(PROJECT, true)).stale, []);
});

Deno.test("writeTables writes a result with its origin between the markers, and nothing else", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, project(PLACE));
    assertEquals(await writeTables(folder, true), { stale: ["README.md"], unused: [] });
    assertEquals(await Deno.readTextFile(join(folder, "README.md")), PLACE);
    assertEquals(await writeTables(folder, false), { stale: ["README.md"], unused: [] });
    const lines = (await Deno.readTextFile(join(folder, "README.md"))).split("\n");
    assertEquals(lines.slice(0, 3), ["before", "<!-- results speed -->", ""]);
    assertEquals(lines.slice(3, 7), [
      "| step     | ms  |",
      "| -------- | --- |",
      "| training | 1.5 |",
      "| a \\| b   | 2   |",
    ]);
    assertEquals(lines.at(-2), "after");
    assertEquals(await writeTables(folder, true), { stale: [], unused: [] });
  }));

Deno.test("writeTables tells of results that no README shows, and refuses markers without one", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, project("nothing\n"));
    assertEquals(await writeTables(folder, false), { stale: [], unused: ["speed"] });
    await writeFiles(folder, project(PLACE.replace("speed", "other")));
    await assertRejects(
      () => writeTables(folder, false),
      LetheError,
      "fixtures/results/ has speed",
    );
  }));

for (
  const [what, wrong] of [
    ["a row too short", { rows: [["training"]] }],
    ["no commit", { commit: "main" }],
    ["a field more", { note: "nice" }],
  ] as const
) {
  Deno.test(`writeTables refuses a result with ${what}`, () =>
    inTemporaryFolder(async (folder) => {
      await writeFiles(folder, project(PLACE, { ...RESULT, ...wrong }));
      await assertRejects(() => writeTables(folder, false), LetheError, "speed.json");
    }));
}
