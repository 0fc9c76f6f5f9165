import { join } from "@std/path";
import { chunks } from "../../data/loader/image_source.ts";
import { LetheError } from "../../error.ts";
import { JsonFields, parseJsonObject } from "../../files/json_fields.ts";
import { integer, list } from "../../files/json_kinds.ts";
import { readPlainText } from "../../files/plain_file.ts";
import { shellWord } from "../../files/shell_word.ts";
import { writeWhole } from "../../files/write_whole.ts";
import { hashOf, type PlannedJob, type ReadPlan } from "./plan_file.ts";
import { sbatch } from "./slurm_commands.ts";

/** Slurm's usual bound on the tasks of an array. */
const MOST_TASKS = 1000;

/** How a grid is submitted. */
export interface SubmitOptions {
  /** The plan file, absolute. */
  readonly plan: string;
  /** Options that every job gets, such as `--partition=gpu`. */
  readonly options: readonly string[];
  /** How often what failed is tried again. */
  readonly retries: number;
  /** Seconds; `--dead-after` of every stage. */
  readonly deadAfter: number;
  /** Deno's own path, and this repository's. */
  readonly deno: string;
  readonly repository: string;
}

/** What was submitted of a grid, as `slurm/jobs.json` in its folder holds it. */
export interface SubmittedGrid {
  readonly version: 1;
  /** Ids of all jobs, in the order of their submission. */
  readonly jobs: readonly number[];
}

/** Where Slurm's part of a grid lies: lists of stages, and what the jobs print. */
export function slurmFolder(out: string): string {
  return join(out, "slurm");
}

/**
 * Submits what has not been made, so that Slurm alone carries it out, whatever becomes of this process:
 * an array of jobs for each layer of the plan, which begins when the layer before has ended; then a job
 * that gathers the results and fails where some are missing; and that as often again as failures are to
 * be retried, each round held back unless all before it have failed.
 *
 * @param exists whether a stage has been made
 * @throws LetheError Slurm refuses; what was submitted before is written down all the same
 */
export async function submitGrid(
  { file, plan }: ReadPlan,
  exists: (out: string) => Promise<boolean>,
  options: SubmitOptions,
): Promise<SubmittedGrid> {
  const jobs: number[] = [];
  const folder = slurmFolder(file.out);
  await Deno.mkdir(join(folder, "log"), { recursive: true });
  const layers = new Map<number, { path: string; tasks: number }[]>();
  for (const [layer, hashes] of (await layersToMake(file.stages, plan.stages, exists)).entries()) {
    const arrays: { path: string; tasks: number }[] = [];
    for (const [part, tasks] of chunks(hashes, MOST_TASKS).entries()) {
      const path = join(folder, `layer-${layer}-${part}.txt`);
      await writeWhole(path, tasks.join("\n") + "\n");
      arrays.push({ path, tasks: tasks.length });
    }
    layers.set(layer, arrays);
  }
  const submit = async (given: readonly string[], script: string) => {
    const id = await sbatch([...options.options, "--kill-on-invalid-dep=yes", ...given], script);
    jobs.push(Number(id));
    await writeWhole(join(folder, "jobs.json"), JSON.stringify({ version: 1, jobs }) + "\n");
    return id;
  };
  const checks: string[] = [];
  for (let round = 0; round <= options.retries; round++) {
    let before: string[] = [];
    for (const [layer, arrays] of layers) {
      const dependency = dependencyOn(checks, before);
      const own: string[] = [];
      for (const { path, tasks } of arrays) {
        own.push(
          await submit(
            [
              `--job-name=lethe-${layer}`,
              `--array=0-${tasks - 1}`,
              `--output=${join(folder, "log", "%A_%a.txt")}`,
              ...dependency,
            ],
            stageScript(path, options),
          ),
        );
      }
      before = own;
    }
    const check = await submit(
      [
        "--job-name=lethe-collect",
        `--output=${join(folder, "log", "%A.txt")}`,
        ...dependencyOn(checks, before),
      ],
      collectScript(options),
    );
    checks.push(check);
  }
  return { version: 1, jobs };
}

/**
 * What a job waits for: that every round before has left something out, and that the layer before has ended.
 * Every round: that after a good one is cancelled, which Slurm takes for a failure.
 */
export function dependencyOn(checks: readonly string[], layer: readonly string[]): string[] {
  const conditions = [
    ...checks.length > 0 ? [`afternotok:${checks.join(":")}`] : [],
    ...layer.length > 0 ? [`afterany:${layer.join(":")}`] : [],
  ];
  return conditions.length > 0 ? [`--dependency=${conditions.join(",")}`] : [];
}

/** What was submitted last; null where nothing was. @throws LetheError the file is damaged */
export async function readSubmitted(out: string): Promise<SubmittedGrid | null> {
  const path = join(slurmFolder(out), "jobs.json");
  if (!await Deno.lstat(path).then(() => true, () => false)) return null;
  const remedy = "remove it, and the jobs by scancel";
  const record = parseJsonObject(await readPlainText(path, { maxBytes: 2 ** 24 }), path, remedy);
  const fields = new JsonFields(record, path, remedy);
  fields.read("version", integer(1, 1));
  return { version: 1, jobs: fields.read("jobs", list(integer(1, 2 ** 32), 0, 1_000_000)) };
}

/** Splits `--sbatch`'s value as a shell would: by blanks, but for those in quotes. */
export function sbatchOptions(text: string): string[] {
  const options: string[] = [];
  let [word, quote, begun] = ["", "", false];
  for (const letter of text) {
    if (quote !== "") {
      if (letter === quote) quote = "";
      else word += letter;
    } else if (letter === '"' || letter === "'") [quote, begun] = [letter, true];
    else if (/\s/.test(letter)) {
      if (begun) options.push(word);
      [word, begun] = ["", false];
    } else [word, begun] = [word + letter, true];
  }
  if (quote !== "") {
    throw new LetheError(
      `--sbatch ${text}`,
      `a ${quote} is not closed`,
      "close it",
    );
  }
  return begun ? [...options, word] : options;
}

async function layersToMake(
  listed: readonly PlannedJob[],
  stages: ReadPlan["plan"]["stages"],
  exists: (out: string) => Promise<boolean>,
): Promise<string[][]> {
  const layers: string[][] = [];
  const layerOf = new Map(listed.map(({ hash, layer }) => [hash, layer]));
  for (const stage of stages) {
    if (await exists(stage.out)) continue;
    (layers[layerOf.get(hashOf(stage))!] ??= []).push(hashOf(stage));
  }
  return layers.filter((hashes) => hashes !== undefined);
}

function stageScript(list: string, options: SubmitOptions): string {
  return script(options, [
    `hash=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" ${shellWord(list)})`,
    `exec ${shellWord(options.deno)} task --quiet benchmark --plan ${shellWord(options.plan)} ` +
    `--stage "$hash" --dead-after ${options.deadAfter}`,
  ]);
}

function collectScript(options: SubmitOptions): string {
  const command = `task --quiet benchmark --plan ${shellWord(options.plan)} --collect`;
  return script(options, [`exec ${shellWord(options.deno)} ${command}`]);
}

function script({ repository }: SubmitOptions, lines: readonly string[]): string {
  return ["#!/bin/sh", `cd ${shellWord(repository)} || exit 1`, ...lines, ""].join("\n");
}
