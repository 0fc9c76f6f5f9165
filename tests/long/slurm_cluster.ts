import { join } from "@std/path";
import { runs } from "../machine.ts";

/** Whether a cluster can be started here: Slurm's and munge's programs, and the right to run them. */
export const HAS_SLURM: boolean = await runs(
  "sh",
  "-c",
  'test "$(id -u)" = 0 && command -v slurmctld && command -v slurmd && command -v munged',
);

/** A real Slurm of three nodes on this machine. */
export interface Cluster extends AsyncDisposable {
  /** What Slurm's commands need in their environment; this process has it while the cluster runs. */
  readonly env: Readonly<Record<string, string>>;
  /** Kills the node of a running job of this name without warning, with all that it runs. */
  killNodeOf(name: string): Promise<string>;
}

const NODES = ["n1", "n2", "n3"];

/** Starts it in a folder. Whatever it starts is ended with it, munged only where this started it. */
export async function startCluster(folder: string): Promise<Cluster> {
  const host = (await said("hostname")).trim();
  // Ports of its own, so that two clusters do not meet.
  const port = 20_000 + 10 * (Deno.pid % 1000);
  const conf = join(folder, "slurm.conf");
  await Deno.mkdir(join(folder, "state"), { recursive: true });
  await Deno.writeTextFile(
    conf,
    `ClusterName=test
SlurmctldHost=${host}(127.0.0.1)
AuthType=auth/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool-%n
SlurmctldPidFile=${folder}/ctld.pid
SlurmdPidFile=${folder}/d-%n.pid
SlurmctldLogFile=${folder}/ctld.log
SlurmdLogFile=${folder}/d-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2
ReturnToService=2
KillWait=1
SlurmctldPort=${port}
SlurmdParameters=config_overrides
NodeName=n[1-3] NodeHostname=${host} NodeAddr=127.0.0.1 Port=[${port + 1}-${
      port + 3
    }] CPUs=1 RealMemory=6000 State=UNKNOWN
PartitionName=all Nodes=n[1-3] Default=YES MaxTime=INFINITE State=UP
`,
  );
  const env = { SLURM_CONF: conf };
  Deno.env.set("SLURM_CONF", conf);
  const munged = !await runs("pgrep", "-x", "munged");
  if (munged) {
    await Deno.mkdir("/run/munge", { recursive: true });
    await said("chown", "munge:", "/run/munge");
    await said("su", "-s", "/bin/sh", "munge", "-c", "munged");
  }
  await saidIn(env, "slurmctld", "-f", conf);
  for (const node of NODES) {
    await Deno.mkdir(join(folder, `spool-${node}`), { recursive: true });
    await saidIn(env, "slurmd", "-f", conf, "-N", node);
  }
  for (;;) { // until all are idle
    const idle = await saidIn(env, "sinfo", "-h", "-t", "idle", "-o", "%D").catch(() => "");
    if (idle.trim() === "3") break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return {
    env,
    async killNodeOf(name) {
      const running = await saidIn(env, "squeue", "-h", "-t", "R", "-n", name, "-o", "%A %N");
      const [id, node] = running.split("\n")[0].split(" ");
      const daemon = Number(await Deno.readTextFile(join(folder, `d-${node}.pid`)));
      const processes = await listProcesses();
      const steps = processes.filter(({ args }) => args.startsWith(`slurmstepd: [${id}.`));
      // The daemon first, or it would tell of the job's end.
      for (const pid of [daemon, ...steps.flatMap(({ pid }) => withChildren(processes, pid))]) {
        kill(pid);
      }
      await saidIn(env, "scontrol", "update", `nodename=${node}`, "state=down", "reason=killed");
      // Slurm puts such a job off for two minutes; a test need not.
      await saidIn(env, "scontrol", "update", `jobid=${id}`, "starttime=now");
      return node;
    },
    async [Symbol.asyncDispose]() {
      await saidIn(env, "scancel", "--me").catch(() => "");
      const processes = await listProcesses();
      const own = processes.filter(({ args }) =>
        args.includes(folder) && /^(slurmctld|slurmd|\/\S*slurmd|\/\S*slurmctld)/.test(args)
      );
      for (const { pid } of own) withChildren(processes, pid).forEach(kill);
      Deno.env.delete("SLURM_CONF");
      if (munged) await said("pkill", "-x", "munged").catch(() => "");
    },
  };
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly args: string;
}

async function listProcesses(): Promise<Process[]> {
  return (await said("ps", "-eo", "pid=,ppid=,args=")).split("\n").flatMap((line) => {
    const [, pid, parent, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return args === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), args }];
  });
}

function withChildren(processes: readonly Process[], pid: number): number[] {
  const children = processes.filter(({ parent }) => parent === pid);
  return [pid, ...children.flatMap((child) => withChildren(processes, child.pid))];
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function said(program: string, ...args: string[]): Promise<string> {
  return saidIn({}, program, ...args);
}

/** What a program says. @throws Error it fails */
export async function saidIn(
  env: Readonly<Record<string, string>>,
  program: string,
  ...args: string[]
): Promise<string> {
  // What a daemon inherits it would hold open.
  const output = ["slurmctld", "slurmd", "su"].includes(program) ? "null" : "piped";
  const ended = await new Deno.Command(program, {
    ...{ args, env },
    stdin: "null",
    stdout: output,
    stderr: output,
  }).output();
  const text = (of: "stdout" | "stderr") =>
    output === "null" ? "" : new TextDecoder().decode(ended[of]);
  if (!ended.success) throw new Error(`${program} ${args.join(" ")}: ${text("stderr")}`);
  return text("stdout");
}
