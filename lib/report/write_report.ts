import { dirname, resolve } from "@std/path";
import { mergeResults, type NamedResults } from "../benchmark/merge_results.ts";
import { parseGridSettings } from "../benchmark/parse_settings.ts";
import { planGrid } from "../benchmark/plan.ts";
import type { BenchmarkResults, SplitName } from "../benchmark/results.ts";
import { LetheError } from "../error.ts";
import { lastStep } from "../files/finish_before_exit.ts";
import { refuseExisting, writeWhole } from "../files/write_whole.ts";
import type { Markup } from "./markup.ts";
import { picture } from "./picture.ts";
import { readResults } from "./read_results.ts";
import { picturesNeeded, reportPage } from "./report_page.ts";

/** What {@link writeReport} needs. */
export interface ReportOptions {
  /** The `results.json` of a benchmark. */
  readonly results: string;
  /** Others, of the same grid, which other machines have made parts of. */
  readonly more?: readonly string[];
  /** The HTML file to make; it must not exist, unless `force` allows to replace it. */
  readonly out: string;
  readonly force?: boolean;
  /** Puts small pictures of the forgotten people into the page; the data sets must still be there. */
  readonly includeImages?: boolean;
}

/**
 * Writes a benchmark's results as one self-contained HTML file.
 *
 * @returns the results that it is of
 * @throws LetheError `out` exists, no cell ran, the results are broken, or a picture cannot be read
 */
export async function writeReport(
  { results: path, more = [], out, force = false, includeImages = false }: ReportOptions,
): Promise<BenchmarkResults> {
  if (!force) await refuseExisting(out, "name a path that does not exist, or add --force");
  const parts: NamedResults[] = [];
  for (const file of [path, ...more]) parts.push({ file, results: await readResults(file) });
  const results = mergeResults(parts);
  if (results.cells.length === 0) {
    throw new LetheError(
      `${path} has none of its ${results.planned} cells`,
      "a report is of cells that ran",
      "run deno task benchmark again: it goes on where it was, and says what fails",
    );
  }
  const pictures = includeImages ? await readPictures(results, path) : new Map<string, Markup>();
  const page = reportPage(results, (split, file) => pictures.get(keyOf(split, file)));
  await lastStep(() => writeWhole(out, page));
  return results;
}

/** The pictures, from where the grid read its images. */
async function readPictures(
  results: BenchmarkResults,
  path: string,
): Promise<Map<string, Markup>> {
  const settings = parseGridSettings(JSON.stringify(results.settings), path);
  const { splits } = planGrid(settings, dirname(resolve(path)), results.device);
  const pictures = new Map<string, Markup>();
  for (const { split, file, caption } of picturesNeeded(results)) {
    const root = splits.find(({ data }) => data === split.data)?.describe.inputs.data;
    const key = keyOf(split, file);
    if (root === undefined || pictures.has(key)) continue;
    pictures.set(key, await picture(root, file, caption));
  }
  return pictures;
}

/** An image is one file of one data set. */
function keyOf({ data }: SplitName, file: string): string {
  return JSON.stringify([data, file]);
}
