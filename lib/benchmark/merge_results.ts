import { LetheError } from "../error.ts";
import { canonicalJson } from "../files/canonical_json.ts";
import { analyse } from "./analyse.ts";
import type { BenchmarkResults, SplitName } from "./results.ts";
import { summarise } from "./summarise.ts";

/** Results, and where they come from, for errors. */
export interface NamedResults {
  readonly file: string;
  readonly results: BenchmarkResults;
}

/**
 * Results of one grid that several machines have made parts of, each in a folder of its own, as one. A
 * cell that several have made is the first one's; every cell names the adapters that it was made on.
 *
 * @param parts at least one
 * @throws LetheError they are of different grids, or of different people under one name
 */
export function mergeResults(parts: readonly NamedResults[]): BenchmarkResults {
  const [first, ...others] = parts;
  if (others.length === 0) return first.results;
  const seeds = new Set<number>();
  const splits = new Map<string, BenchmarkResults["splits"][number]>();
  const cells = new Map<string, BenchmarkResults["cells"][number]>();
  const sequences = new Map<string, BenchmarkResults["sequences"][number]>();
  const key = (name: SplitName, method?: string) =>
    JSON.stringify([name.data, name.forget, name.seed, method]);
  for (const { file, results } of parts) {
    if (gridOf(results) !== gridOf(first.results)) {
      throw new LetheError(
        `${file} is of another grid than ${first.file}`,
        "seeds and folders may differ, all other settings are the same",
        "give results of one grid",
      );
    }
    results.settings.seeds.forEach((seed) => seeds.add(seed));
    for (const split of results.splits) {
      const known = splits.get(key(split));
      const people = ({ forgotten, retained }: typeof split) =>
        JSON.stringify([forgotten, retained].map((list) => list.map(({ identity }) => identity)));
      if (known && people(known) !== people(split)) {
        throw new LetheError(
          `${file} has other people in ${split.data}/${split.forget} seed ${split.seed}`,
          "a split of one data set and seed is the same everywhere",
          "check that all machines had the same data set",
        );
      }
      splits.set(key(split), known ?? split);
    }
    for (const cell of results.cells) {
      const made = { ...cell, adapters: cell.adapters ?? [results.device] };
      cells.set(key(cell, cell.method), cells.get(key(cell, cell.method)) ?? made);
    }
    for (const stream of results.sequences) {
      const place = key(stream, stream.method);
      sequences.set(place, sequences.get(place) ?? stream);
    }
  }
  const { settings, planned } = first.results;
  const all = { splits: [...splits.values()], cells: [...cells.values()] };
  return {
    version: 1,
    settings: { ...settings, seeds: [...seeds].sort((a, b) => a - b) },
    device: [...new Set(parts.map(({ results }) => results.device))].join("; "),
    planned: planned / settings.seeds.length * seeds.size,
    ...all,
    summary: summarise(all.splits, all.cells),
    analyses: analyse(all.splits, all.cells),
    sequences: [...sequences.values()],
  };
}

/** The settings, without what may differ from machine to machine. */
function gridOf({ settings }: BenchmarkResults): string {
  const { seeds: _, data, ...rest } = settings;
  return canonicalJson({ ...rest, data: data?.map(({ root: _, ...set }) => set) });
}
