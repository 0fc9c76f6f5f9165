import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { gridOf } from "../../cli/options/grid_options.ts";
import { UsageError } from "../../lib/error.ts";
import { inTemporaryFolder, writeFiles } from "../data/temporary_folder.ts";
import { TINY_GRID } from "../benchmark/tiny_grid.ts";

const [PORTRAITS] = TINY_GRID.data;

/** A grid of a folder's images, as a person gives it. */
async function gridIn(folder: string, more: Record<string, unknown>, out: string, data?: string) {
  const { portraits: _, ...named } = PORTRAITS;
  const settings = join(folder, "grid.json");
  const grid = { ...TINY_GRID, data: [{ ...named, layout: "folder", ...more }] };
  await Deno.writeTextFile(settings, JSON.stringify(grid));
  return await gridOf({ preset: undefined, settings, data, out } as Parameters<typeof gridOf>[0]);
}

Deno.test("gridOf refuses a grid whose data set or first weights are not there, by field", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { "pets/labels.csv": "" });
    const [root, out] = [join(folder, "pets"), join(folder, "grid")];
    const none = join(folder, "none");
    const refuses = (more: Record<string, unknown>, field: string, data?: string) =>
      assertRejects(
        () => gridIn(folder, more, out, data),
        UsageError,
        `${none} does not exist; the grid's data set portraits names it as its ${field}, ` +
          "from where the command is given",
      );
    await refuses({ root: none }, "root");
    await refuses({}, "root", none);
    await refuses({ root, init: none }, "init");
    const { data: [read] } = await gridIn(folder, { root, init: root }, out);
    assertEquals([read.root, read.init], [root, root]);
  }));

Deno.test("gridOf refuses to keep a grid in a data set that it reads", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { "pets/labels.csv": "" });
    const root = join(folder, "pets");
    for (const out of [root, join(root, "grid")]) {
      await assertRejects(
        () => gridIn(folder, { root }, out),
        UsageError,
        `lies in the data set ${root}`,
      );
    }
  }));
