import { join } from "@std/path";
import { command, main } from "../cli/command/command.ts";
import { UsageError } from "../lib/error.ts";
import { listFolder } from "../lib/files/list_folder.ts";
import { writeReport } from "../lib/report/write_report.ts";

/** `deno task report`: a benchmark's results as a page. */
export const report = command({
  name: "report",
  summary:
    "a benchmark's results as one HTML file: tables, figures, a dossier per forgotten person",
  options: {
    grid: {
      kind: "path",
      takes: "grid",
      default: "benchmark",
      value: "PATH",
      help: "the benchmark's folder, or the results.json in it",
    },
    more: {
      kind: "list",
      takes: "grid",
      value: "PATH,..",
      help: "folders (or results) of the same grid, of which other machines have made other parts",
    },
    out: { kind: "path", default: "report.html", value: "FILE", help: "file to make" },
    force: { kind: "flag", help: "replace the file if it exists" },
    includeImages: {
      kind: "flag",
      help: "with small pictures of the forgotten people: as private as the data set",
    },
  },
  examples: [
    "deno task report --grid benchmark --out report.html",
    "deno task report --grid ./seed-0 --more ./seed-1,./seed-2 --out report.html",
  ],
  async run({ grid, more, out, force, includeImages }, terminal) {
    const [results, ...others] = await Promise.all([grid, ...more ?? []].map(resultsOf));
    const { cells, planned } = await writeReport({
      results,
      more: others,
      out,
      force,
      includeImages,
    });
    const share = cells.length < planned ? `${cells.length} of ${planned}` : `${planned}`;
    terminal.print(`${out}: ${share} cells${includeImages ? ", with pictures" : ""}`);
  },
});

/** A grid's results: the file itself, or the one in its folder. @throws UsageError it holds none */
async function resultsOf(grid: string): Promise<string> {
  if ((await Deno.stat(grid)).isFile) return grid;
  const path = join(grid, "results.json");
  if (await Deno.lstat(path).then(() => true, () => false)) return path;
  // An ablation's lie beside the grid's own.
  const others = (await listFolder(grid, "a benchmark's folder holds its results"))
    .filter(({ name }) => /^results-.+\.json$/.test(name)).map(({ name }) => join(grid, name));
  throw new UsageError(
    `${grid} holds no results.json`,
    "deno task benchmark writes it when the first cell is measured",
    others.length === 0
      ? "run the benchmark's command again: it goes on where it was"
      : `did you mean ${others.join(" or ")}?`,
  );
}

if (import.meta.main) await main(report);
