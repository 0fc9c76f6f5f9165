import { join } from "@std/path";
import { writeWhole } from "../files/write_whole.ts";
import { readResults } from "./read_results.ts";
import { resultCells } from "./results_table.ts";
import type { WrittenResult } from "./written_result.ts";

/** Where and when a benchmark was run. */
export type Origin = Omit<WrittenResult, "columns" | "rows" | "adapter">;

/**
 * Keeps a benchmark's means in `fixtures/results/`, a file per data set and number of people. Names of
 * people and files stay behind: a benchmark's own results are as private as its data set.
 *
 * @param results the benchmark's results.json
 * @param name of the files, before `_<people>.json`
 * @returns the files
 * @throws {LetheError} the results cannot be read, or a file not be written
 */
export async function keepResults(
  project: string,
  results: string,
  name: string,
  origin: Origin,
): Promise<string[]> {
  const { summary, device } = await readResults(results);
  const files: string[] = [];
  const groups = Map.groupBy(summary, ({ data, forget }) => JSON.stringify([data, forget]));
  for (const rows of groups.values()) {
    const { columns, cells } = resultCells(rows);
    const kept: WrittenResult = { ...origin, adapter: device, columns, rows: cells };
    const file = join("fixtures", "results", `${name}_${rows[0].forget}.json`);
    await writeWhole(join(project, file), JSON.stringify(kept, null, 2) + "\n");
    files.push(file);
  }
  return files;
}
