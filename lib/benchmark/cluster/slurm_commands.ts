import { firstLine, LetheError } from "../../error.ts";

/** A job of Slurm's: its id, that of its array where it is of one, and its state, such as PENDING. */
export interface QueuedJob {
  readonly id: string;
  readonly state: string;
}

/**
 * Submits a job script.
 *
 * @param options of `sbatch`
 * @returns the job's id
 * @throws LetheError Slurm is not there or refuses
 */
export async function sbatch(options: readonly string[], script: string): Promise<string> {
  // Read from standard input: what is submitted does not depend on a file that may change.
  const said = await run("sbatch", ["--parsable", ...options], script);
  const id = said.trim().split(";")[0];
  if (/^\d+$/.test(id)) return id;
  throw new LetheError(
    `sbatch answered ${JSON.stringify(said.slice(0, 200))}`,
    "with --parsable it names the job",
    "try the same options with sbatch itself",
  );
}

/** Those of some jobs that wait or run, a task of an array each. @throws LetheError Slurm is not there */
export async function squeue(ids: ReadonlySet<string>): Promise<QueuedJob[]> {
  const said = await run("squeue", ["--noheader", "--me", "--array", "--format=%F %T"]);
  return said.split("\n").flatMap((line) => {
    const [id, state] = line.trim().split(/\s+/);
    return ids.has(id) ? [{ id, state }] : [];
  });
}

/** Ends jobs, whatever state they are in. @throws LetheError Slurm is not there */
export async function scancel(ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await run("scancel", [...ids]);
}

async function run(program: string, args: string[], input?: string): Promise<string> {
  try {
    const child = new Deno.Command(program, {
      args,
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    if (input !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(input));
      await writer.close();
    }
    const { success, stdout, stderr } = await child.output();
    const text = new TextDecoder();
    if (success) return text.decode(stdout);
    throw new LetheError(
      `${program}: ${text.decode(stderr).trim().split("\n")[0]}`,
      "Slurm carries the grid out",
      `try ${program} by hand; --sbatch gives options to it`,
    );
  } catch (error) {
    if (error instanceof LetheError) throw error;
    if (error instanceof Deno.errors.NotFound) {
      throw new LetheError(
        `there is no ${program} here`,
        "Slurm carries the grid out",
        "run this on a machine of the cluster, or use deno task benchmark",
        { cause: error },
      );
    }
    // Deno starts no program where LD_LIBRARY_PATH and the like are set, lest they change what it runs.
    throw new LetheError(
      `${program} cannot be started (${firstLine(error)})`,
      "Deno refuses to start programs where LD_LIBRARY_PATH or LD_PRELOAD is set",
      'unset it here, and hand it to the jobs: --sbatch "--export=ALL,LD_LIBRARY_PATH=DIR"',
      { cause: error },
    );
  }
}
