/**
 * The card's table from what `measure.sh` left in a folder: a row per line of it, what it must be, what
 * was measured, and whether that is met. Writes `card_rows.json` there, as fixtures/results/ keeps it.
 *
 *     deno run --allow-read --allow-write .github/card/rows.ts FOLDER COMMIT MACHINE
 */

/** What one line printed; null where it printed nothing that can be read. */
type Json = Record<string, unknown>;

/** A line's outcome. */
export interface Line {
  /** As `measure.sh` noted it; undefined: it did not run. */
  readonly exit?: number;
  readonly seconds?: number;
  /** What it printed, whole. */
  readonly text: string;
}

/** A row of the table. */
export interface Row {
  readonly row: string;
  readonly must: string;
  /** `not measured` where the line did not run, failed or printed something else. */
  readonly measured: string;
  /** null where nothing was measured. */
  readonly met: boolean | null;
}

/** What is found in a line's output: the number that the must is about, and how the table has it. */
type Found = { readonly value: number; readonly told: string } | null;

interface Due {
  readonly row: string;
  readonly line: string;
  readonly must: string;
  readonly isMet: (value: number) => boolean;
  readonly find: (line: Line) => Found;
}

/** The JSON that a text ends with. */
function jsonOf({ text }: Line): Json | null {
  const from = text.indexOf("\n{") >= 0 ? text.indexOf("\n{") + 1 : text.indexOf("{");
  if (from < 0) return null;
  try {
    return JSON.parse(text.slice(from)) as Json;
  } catch {
    return null;
  }
}

/** Times faster than PyTorch at a step in float32, by the first of these names that was timed. */
function ratio(...names: string[]) {
  return (line: Line): Found => {
    const steps = jsonOf(line)?.steps as
      | readonly { step: string; mode: string; ratio: { median: number } }[]
      | undefined;
    const own = names.map((name) =>
      steps?.find(({ step, mode }) => step === name && mode === "fp32")
    ).find((found) => found !== undefined);
    if (!own) return null;
    const value = own.ratio.median;
    return {
      value,
      told: value >= 1 ? `${round(value)} times faster` : `${round(1 / value)} times slower`,
    };
  };
}

function round(x: number): string {
  return x.toPrecision(3);
}

/** Bytes of PyTorch over ours at a step. */
function memory(step: string) {
  return (line: Line): Found => {
    const steps = jsonOf(line)?.steps as
      | readonly { step: string; mode: string; bytes: { ours: number; pytorch: number } | null }[]
      | undefined;
    const bytes = steps?.find((each) => each.step === step && each.mode === "fp32")?.bytes;
    if (!bytes) return null;
    const mib = (n: number) => Math.round(n / 2 ** 20);
    return {
      value: bytes.ours / bytes.pytorch,
      told: `${mib(bytes.ours)} of PyTorch's ${mib(bytes.pytorch)} MiB`,
    };
  };
}

/** Milliseconds of a step of `bench --parts card`. */
function milliseconds(step: string) {
  return (line: Line): Found => {
    const card = jsonOf(line)?.card as readonly { name: string; wall: number }[] | undefined;
    const own = card?.find(({ name }) => name === step);
    return own ? { value: own.wall, told: `${round(own.wall)} ms` } : null;
  };
}

/** The fastest product of a size in `bench --parts kernels`, TFLOP/s. */
function product(size: RegExp) {
  return (line: Line): Found => {
    const kernels = jsonOf(line)?.kernels as
      | readonly { shape: string; unit: string; rate: number }[]
      | undefined;
    const rates = (kernels ?? []).filter(({ shape, unit }) =>
      unit === "GFLOP/s" && size.test(shape)
    ).map(({ rate }) => rate / 1000);
    if (rates.length === 0) return null;
    const value = Math.max(...rates);
    return { value, told: `${round(value)} TFLOP/s` };
  };
}

/** Whether a line ended well, and in how many seconds. */
function seconds({ exit, seconds }: Line): Found {
  return exit === 0 && seconds !== undefined ? { value: seconds, told: `${seconds} s` } : null;
}

function passed(line: Line): Found {
  const found = jsonOf(line)?.passed;
  return typeof found === "boolean"
    ? { value: Number(found), told: found ? "passes" : "fails" }
    : null;
}

function suite({ text, seconds }: Line): Found {
  // deno-lint-ignore no-control-regex -- colours
  const plain = text.replaceAll(/\x1b\[[0-9;]*m/g, "");
  const [, passed, failed] = /\| (\d+) passed.*\| (\d+) failed/.exec(plain) ?? [];
  if (failed === undefined) return null;
  return { value: Number(failed), told: `${passed} passed, ${failed} failed, ${seconds} s` };
}

function waited({ text }: Line): Found {
  const [, share] = [...text.matchAll(/waited for input ([\d.]+) %/g)].at(-1) ?? [];
  return share === undefined ? null : { value: Number(share), told: `${share} %` };
}

/** Files that keys, drawn anew for each kit, decide. */
const KEYED = /(identity-key|kit\.successor\.json|kit\.json|training_images\.txt|summary\.json)$/;

function same({ text }: Line): Found {
  const differing = text.split("\n").filter((line) => /^(Files|Only)/.test(line));
  const own = differing.filter((line) => !KEYED.test(line.replace(/ differ$/, "")));
  if (!/\d+ files/.test(text)) return null;
  return { value: own.length, told: `${differing.length} differ, ${own.length} beyond keys` };
}

function measuring(line: Line): Found {
  const value = jsonOf(line)?.seconds;
  return typeof value === "number" ? { value, told: `${round(value)} s` } : null;
}

const atLeast = (least: number) => (value: number) => value >= least;
const atMost = (most: number) => (value: number) => value <= most;

/** Every row, in the table's order. */
const DUE: readonly Due[] = [
  {
    ...{ row: "small ViT, batch 32: training, against PyTorch eager fp32", line: "small" },
    ...{ must: "as fast", isMet: atLeast(1), find: ratio("training", "gradient") },
  },
  {
    ...{ row: "evaluation, batch 32", line: "small", must: "at most 3 times slower" },
    ...{ isMet: atLeast(1 / 3), find: ratio("evaluation") },
  },
  {
    ...{ row: "evaluation, batch 256", line: "many", must: "at most 3 times slower" },
    ...{ isMet: atLeast(1 / 3), find: ratio("evaluation") },
  },
  {
    ...{ row: "meta step 8 + 32 + 32, against double backward", line: "small" },
    ...{ must: "2 times faster", isMet: atLeast(2), find: ratio("meta") },
  },
  {
    ...{ row: "unlearning of 8 people, the step alone", line: "report", must: "10 ms" },
    ...{ isMet: atMost(10), find: milliseconds("unlearning") },
  },
  {
    ...{ row: "ViT-B/16, batch 32: training, against eager fp32", line: "base_steps" },
    ...{
      must: "at most 2.5 times slower",
      isMet: atLeast(0.4),
      find: ratio("training", "gradient"),
    },
  },
  {
    ...{ row: "ViT-B/16, meta step 20 + 32 + 32, against double backward fp32", line: "base_meta" },
    ...{ must: "at most 2 times slower", isMet: atLeast(0.5), find: ratio("meta") },
  },
  {
    ...{ row: "its memory", line: "base_meta", must: "half" },
    ...{ isMet: atMost(0.5), find: memory("meta") },
  },
  {
    ...{ row: "product 6304x3072x768", line: "products", must: "20 TFLOP/s" },
    ...{ isMet: atLeast(20), find: product(/6304,(768|3072)\].*\[(3072,768|768,3072)\]/) },
  },
  {
    ...{ row: "demo --device webgpu", line: "demo_a", must: "20 s" },
    ...{ isMet: atMost(20), find: seconds },
  },
  {
    ...{ row: "demo --method metaunlearn", line: "metaunlearn", must: "20 s" },
    ...{ isMet: atMost(20), find: seconds },
  },
  {
    ...{ row: "kernel measuring, ViT-B/16", line: "kernels", must: "2 s" },
    ...{ isMet: atMost(2.2), find: measuring },
  },
  {
    ...{ row: "training of the small preset waits for input", line: "input", must: "5 %" },
    ...{ isMet: atMost(5), find: waited },
  },
  {
    ...{ row: "selfcheck, float32", line: "selfcheck", must: "passes" },
    ...{ isMet: atLeast(1), find: passed },
  },
  {
    ...{ row: "selfcheck, half precision", line: "half", must: "passes" },
    ...{ isMet: atLeast(1), find: passed },
  },
  {
    ...{ row: "LETHE_REQUIRE_GPU=1 deno task test, a lost device included", line: "tests" },
    ...{ must: "0 failed", isMet: atMost(0), find: suite },
  },
  {
    ...{ row: "two demos end with the same bytes", line: "same", must: "but for keys" },
    ...{ isMet: atMost(0), find: same },
  },
];

/** The rows from the lines' outcomes, by name. */
export function rowsOf(lines: ReadonlyMap<string, Line>): Row[] {
  return DUE.map(({ row, line, must, isMet, find }) => {
    const own = lines.get(line);
    const found = own ? find(own) : null;
    return {
      ...{ row, must },
      measured: found?.told ?? "not measured",
      met: found ? isMet(found.value) : null,
    };
  });
}

async function readLines(folder: string): Promise<Map<string, Line>> {
  const lines = new Map<string, Line>();
  const noted = await Deno.readTextFile(`${folder}/when.txt`).catch(() => "");
  for await (const { name } of Deno.readDir(folder)) {
    const line = /^(\w+)\.txt$/.exec(name)?.[1];
    if (!line || line === "when") continue;
    const text = await Deno.readTextFile(`${folder}/${name}`);
    const when = new RegExp(`^${line}: exit (\\d+) after (\\d+) s$`, "gm");
    const [, exit, seconds] = [...noted.matchAll(when)].at(-1) ?? [];
    lines.set(
      line,
      exit === undefined ? { text } : { text, exit: Number(exit), seconds: Number(seconds) },
    );
  }
  return lines;
}

if (import.meta.main) {
  const [folder, commit, machine] = Deno.args;
  const lines = await readLines(folder);
  const rows = rowsOf(lines);
  const adapter = [...lines.values()].map(({ text }) => /^device: (.+)$/m.exec(text)?.[1])
    .find((found) => found !== undefined) ?? "none";
  const result = {
    command: ".github/card/measure.sh",
    ...{ commit, adapter, machine, date: new Date().toISOString().slice(0, 10) },
    columns: ["row", "must", "measured", "met"],
    rows: rows.map(({ row, must, measured, met }) => [
      ...[row, must, measured],
      met === null ? "-" : met ? "yes" : "no",
    ]),
  };
  await Deno.writeTextFile(`${folder}/card_rows.json`, JSON.stringify(result, null, 2) + "\n");
  console.table(rows);
}
