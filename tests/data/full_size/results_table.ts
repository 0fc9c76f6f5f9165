import { parseArgs } from "@std/cli/parse-args";
import type { Measured } from "./measure_process.ts";

type Row = Measured & { readonly images: number };

/** The steps in the table's order, in words. */
const STEPS: Readonly<Record<string, string>> = {
  split: "split",
  "first open": "first open of a split without its index",
  open: "open a split (a process of its own)",
  "open a copy": "open it where the data set was copied or touched",
  train: "train: 100 steps",
  "meta-learn": "meta-learn: 100 requests",
  evaluate: "evaluate one model",
  unlearn: "unlearn 20 people",
  audit: "audit of the same",
  "unlearn-with-data": "unlearn-with-data: Bad Teacher, one epoch",
  benchmark: "benchmark: one epoch of each model, SSD",
  rmia: "RMIA and verdict, bootstrap of 1,000: as many test images as a fifth of N",
};
/** What comes before the steps that are stopped. */
const BEFORE: Readonly<Record<string, string>> = {
  train: "train: until the first step",
  "meta-learn": "meta-learn: until the first request (theta's own losses on N / 5 images)",
};

const seconds = (value: number) => value < 10 ? value.toFixed(1) : value.toFixed(0);

/** The middle one of each number of several runs; of two, the smaller one. */
function median(rows: readonly Row[]): Row | undefined {
  const [first] = rows;
  if (!first) return undefined;
  const middle = (of: (row: Row) => number) => {
    // A process that ended between two looks at it showed no memory.
    const numbers = rows.map(of).filter((number) => number > 0).sort((a, b) => a - b);
    return numbers[Math.floor((numbers.length - 1) / 2)] ?? 0;
  };
  const before = first.before === undefined ? {} : {
    before: middle((row) => row.before ?? 0),
    cpuBefore: middle((row) => row.cpuBefore ?? 0),
  };
  return {
    ...{ step: first.step, images: first.images, ...before },
    seconds: middle((row) => row.seconds),
    cpu: middle((row) => row.cpu),
    peak: middle((row) => row.peak),
  };
}

/** The rows of a table: a column for each number of images. */
function rowsOf(measured: readonly Row[], sizes: readonly number[]): string[][] {
  const ran = Object.entries(STEPS).filter(([step]) => measured.some((row) => row.step === step));
  return ran.flatMap(([step, words]) => {
    const own = sizes.map((images) =>
      median(measured.filter((row) => row.step === step && row.images === images))
    );
    const cells = own.map((row) =>
      row
        ? `${seconds(row.cpu)} s (${seconds(row.seconds)}), ${row.peak.toFixed(0)} MiB`
        : "not run"
    );
    const before = own.map((row) =>
      row?.before === undefined
        ? "not run"
        : `${seconds(row.cpuBefore ?? 0)} s (${seconds(row.before)})`
    );
    return [...(BEFORE[step] ? [[BEFORE[step], ...before]] : []), [words, ...cells]];
  });
}

// deno run --allow-read tests/data/full_size/results_table.ts --commit HASH --machine TEXT ROWS.json ..
//
// Makes a table for fixtures/results/ of what measure_full_size.ts wrote, and prints it; of a step's several
// runs, the median of each number.
if (import.meta.main) {
  const { commit, machine, _: files } = parseArgs(Deno.args, { string: ["commit", "machine"] });
  const measured = (files as string[])
    .flatMap((file): Row[] => JSON.parse(Deno.readTextFileSync(`${file}`)));
  const sizes = [...new Set(measured.map((row) => row.images))].sort((a, b) => a - b);
  console.log(JSON.stringify(
    {
      command: "deno run -A tests/data/measure_full_size.ts --out full_size.json",
      ...{ commit, machine, adapter: "WASM (SIMD, one thread)" },
      date: new Date().toISOString().slice(0, 10),
      columns: ["processor (wall), peak", ...sizes.map((size) => size.toLocaleString("en"))],
      rows: rowsOf(measured, sizes),
    },
    null,
    2,
  ));
}
