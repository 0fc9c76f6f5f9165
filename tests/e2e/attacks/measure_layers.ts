import { fromFileUrl } from "@std/path";
import { commitOf } from "../../../lib/audit/record/commit.ts";
import { COLUMNS, layersAlone } from "./layers_alone.ts";
import { WAYS } from "./ways.ts";

// Tries every way against every layer alone, and keeps what came out for `deno task tables`. As root: an
// ordinary user cannot mount.
const PROJECT = fromFileUrl(new URL("../../../", import.meta.url));

const rows: string[][] = [];
for (const way of WAYS) {
  const found = await layersAlone(way);
  rows.push([way.name, ...COLUMNS.map((column) => found[column])]);
  console.error(rows.at(-1)!.join(" | "));
}
const result = {
  command: "deno run -A tests/e2e/attacks/measure_layers.ts",
  commit: (await commitOf(PROJECT))!.slice(0, 7),
  adapter: "no device",
  machine: `Deno ${Deno.version.deno}, Linux, bubblewrap, strace, root`,
  date: new Date().toISOString().slice(0, 10),
  columns: ["a worker's way to a training file", ...COLUMNS],
  rows,
};
const file = `${PROJECT}fixtures/results/layers_alone.json`;
await Deno.writeTextFile(file, JSON.stringify(result, null, 2) + "\n");
