import { join } from "@std/path";
import { LetheError } from "../error.ts";
import { JsonFields } from "../files/json_fields.ts";
import * as is from "../files/json_kinds.ts";
import type { Kind } from "../files/json_kinds.ts";
import { writeWhole } from "../files/write_whole.ts";
import type { BenchReport } from "./bench.ts";

/** One bench in a file of many: how many times faster than stock tfjs each step was. */
export interface BenchRun {
  /** ISO 8601, UTC. */
  readonly date: string;
  /** The repository's commit; null where there is no repository. */
  readonly commit: string | null;
  readonly device: string;
  /** Median ratio by step. */
  readonly ratios: Readonly<Record<string, number>>;
}

const REMEDY = "name a file that deno task bench --history wrote, or a new one";
const RATIO: Kind<number> = is.real(Number.MIN_VALUE, 1e9);

/** A bench's line of its history. */
export function benchRun(report: BenchReport, date: Date, commit: string | null): BenchRun {
  const ratios = (report.steps ?? []).map(({ name, ratio }) => [name, ratio.median] as const);
  return {
    date: date.toISOString(),
    commit,
    device: report.device,
    ratios: Object.fromEntries(ratios),
  };
}

/**
 * Adds a run to a history; the file is made where there is none.
 *
 * @returns all runs, oldest first
 * @throws {LetheError} the file is no history, or cannot be written
 */
export async function appendHistory(file: string, run: BenchRun): Promise<readonly BenchRun[]> {
  const runs = [...await readHistory(file), run];
  await writeWhole(file, JSON.stringify(runs, null, 1) + "\n");
  return runs;
}

async function readHistory(file: string): Promise<BenchRun[]> {
  let entries: unknown;
  try {
    entries = JSON.parse(await Deno.readTextFile(file));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return [];
    throw new LetheError(`${file} is no history of benches`, "it is a JSON list", REMEDY, {
      cause,
    });
  }
  const kind = is.list(is.OBJECT, 0, 100_000);
  if (!kind.accepts(entries)) {
    throw new LetheError(`${file} is no history of benches`, "it is a JSON list of runs", REMEDY);
  }
  return entries.map((entry, i) => {
    const fields = new JsonFields(entry, `${file}[${i}]`, REMEDY);
    const ratios = fields.read("ratios", is.OBJECT);
    const steps = new JsonFields(ratios, `${file}[${i}]: ratios`, REMEDY);
    const run = {
      date: fields.read("date", is.line(40)),
      commit: fields.read("commit", is.nullable(is.line(40))),
      device: fields.read("device", is.line(200)),
      ratios: Object.fromEntries(
        Object.keys(ratios).map((name) => [name, steps.read(name, RATIO)]),
      ),
    };
    fields.end();
    return run;
  });
}

/** The commit that a repository is at, from its files; null where that cannot be told. */
export async function commitOf(project: string): Promise<string | null> {
  const git = join(project, ".git");
  const read = (name: string) => Deno.readTextFile(join(git, name)).catch(() => "");
  const head = (await read("HEAD")).trim();
  const name = /^ref: (refs\/[\w./-]+)$/.exec(head)?.[1];
  const packed = name === undefined ? "" : await read("packed-refs");
  const hash = name === undefined ? head : (await read(name)).trim() ||
    packed.split("\n").find((row) => row.endsWith(` ${name}`))?.slice(0, 40);
  return hash && /^[0-9a-f]{40}$/.test(hash) ? hash : null;
}
