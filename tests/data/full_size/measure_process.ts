/** What one step took. */
export interface Measured {
  readonly step: string;
  /** Wall clock until the work that was asked for began, where it is told apart, and of that work. */
  readonly before?: number;
  readonly seconds: number;
  /** Processor time likewise, user and system, of the process and all that it started: seconds. */
  readonly cpuBefore?: number;
  readonly cpu: number;
  /** Largest resident memory of any one of the step's processes, MiB. */
  readonly peak: number;
}

/** Where a long step has done enough: so many units of a stage of its progress. */
export interface Enough {
  readonly stage: string;
  readonly done: number;
}

/** Milliseconds between looks at the processes. */
const EVERY = 50;
/** Of a second, in `/proc`. */
const TICK = 100;

/**
 * Runs a process to its end, or until it has done enough, and watches its memory and its children's.
 *
 * @param args of Deno, run in `repo`
 */
export async function measure(
  step: string,
  repo: string,
  args: readonly string[],
  enough?: Enough,
): Promise<Measured> {
  const begun = performance.now();
  const process = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: repo,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let peak = 0;
  /** Processor seconds by process, those that are gone included; and their sum at each look. */
  const used = new Map<number, number>();
  const looks: { readonly at: number; readonly cpu: number }[] = [{ at: 0, cpu: 0 }];
  const now = () => (performance.now() - begun) / 1000;
  const look = () => {
    for (const pid of withChildren(process.pid)) {
      const { memory, cpu } = stateOf(pid);
      peak = Math.max(peak, memory);
      used.set(pid, Math.max(used.get(pid) ?? 0, cpu));
    }
    looks.push({ at: now(), cpu: [...used.values()].reduce((sum, cpu) => sum + cpu, 0) });
  };
  const cpuAt = (time: number) => looks.findLast(({ at }) => at <= time)!.cpu;
  const watch = setInterval(look, EVERY);
  let reached: Omit<Measured, "peak"> | undefined;
  let [tail, rest] = ["", ""];
  for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
    tail = (tail + text).slice(-2000);
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const event of lines.map(progressOf)) {
      if (!enough || reached || event?.stage !== enough.stage || event.done < enough.done) continue;
      look();
      // Events come every five seconds; the rate says when the stage began and how long so much takes.
      const before = Math.max(0, now() - event.done / event.rate);
      const cpuBefore = cpuAt(before);
      reached = {
        ...{ step, before, seconds: enough.done / event.rate, cpuBefore },
        cpu: (looks.at(-1)!.cpu - cpuBefore) * enough.done / event.done,
      };
      for (const pid of withChildren(process.pid)) Deno.kill(pid, "SIGKILL");
    }
  }
  const { success } = await process.status;
  clearInterval(watch);
  if (!success && !reached) throw new Error(`${step} failed: ${tail}`);
  return { ...(reached ?? { step, seconds: now(), cpu: looks.at(-1)!.cpu }), peak };
}

function progressOf(line: string): { stage: string; done: number; rate: number } | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** A process and all that it started. */
function withChildren(pid: number): number[] {
  try {
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim();
    return [pid, ...children.split(" ").filter(Boolean).map(Number).flatMap(withChildren)];
  } catch {
    return [pid];
  }
}

/** MiB of resident memory that a process had at most, and seconds of processors that it took. */
function stateOf(pid: number): { memory: number; cpu: number } {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const [user, system] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13);
    return {
      memory: Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024,
      cpu: (Number(user) + Number(system)) / TICK,
    };
  } catch {
    return { memory: 0, cpu: 0 };
  }
}
