import { join } from "@std/path";
import { command, main } from "../cli/command/command.ts";
import { writeReport } from "../lib/report/write_report.ts";

/** `deno task report`: a benchmark's results as a page. */
export const report = command({
  name: "report",
  summary:
    "a benchmark's results as one HTML file: tables, figures, a dossier per forgotten person",
  options: {
    grid: { kind: "path", default: "benchmark", value: "DIR", help: "the benchmark's folder" },
    more: {
      kind: "list",
      value: "DIR,..",
      help: "folders of the same grid, of which other machines have made other parts",
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
    const { cells, planned } = await writeReport({
      results: join(grid, "results.json"),
      ...(more === undefined ? {} : { more: more.map((folder) => join(folder, "results.json")) }),
      out,
      force,
      includeImages,
    });
    const share = cells.length < planned ? `${cells.length} of ${planned}` : `${planned}`;
    terminal.print(`${out}: ${share} cells${includeImages ? ", with pictures" : ""}`);
  },
});

if (import.meta.main) await main(report);
