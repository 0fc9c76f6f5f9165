import { join } from "@std/path";
import type { ContainedRun, Containment, EvidenceText } from "./contained_run.ts";
import type { ContainedCommand } from "./containment.ts";
import type { LayerOutcome } from "./layer.ts";
import { type ModuleGraph, PROJECT } from "./module_graph.ts";
import { judgePermissionLog, openPermissionLog } from "./permission_log.ts";
import { evidenceOf } from "./run_contained.ts";
import { shell } from "./shell.ts";
import { judgeTrace } from "./trace.ts";

/** What is watched of a run, and how. */
export interface Watched {
  readonly evidence: boolean;
  readonly containment: Containment;
  readonly graph: ModuleGraph;
  readonly paths: ContainedRun["paths"];
  readonly runFolder: string;
  /** Where the worker writes. */
  readonly work: string;
}

/** A run under watch. */
export interface Watch {
  readonly permissionLog: string | null;
  readonly trace: string | null;
  /** Ends the watch when the worker has ended, and says what each layer shows. */
  end(command: ContainedCommand, jobFile: string): Promise<{
    readonly permissionLog: EvidenceText | null;
    readonly trace: EvidenceText | null;
    readonly layers: readonly LayerOutcome[];
  }>;
}

const NOT_ASKED = "not asked for: deno task audit gathers it";

/** Opens the permission log and prepares the trace, where they are asked for and possible. */
export async function gatherEvidence(watched: Watched): Promise<Watch> {
  const { evidence, containment, graph, paths, runFolder, work } = watched;
  const log = evidence && Deno.build.os !== "windows" ? await openPermissionLog(runFolder) : null;
  const traceable = evidence && (await shell("strace -qq -f -y true")).code === 0;
  const trace = traceable ? join(runFolder, "trace") : null;
  return {
    permissionLog: log?.path ?? null,
    trace,
    async end({ permissions }, jobFile) {
      const permissionLog = await log?.end() ?? null;
      const traced = trace === null ? null : await evidenceOf(trace);
      const read = [jobFile, paths.support, paths.kit, work];
      const layers: LayerOutcome[] = [
        {
          layer: "permissions",
          state: "held",
          detail: permissions.filter((flag) => flag.startsWith("--allow")).join(" ") +
            "; no net, env, run, ffi, sys",
        },
        containment === "bubblewrap"
          ? {
            layer: "operating system",
            state: "held",
            detail: "bubblewrap: nothing but code, Deno, drivers, requests, kit and output exists",
          }
          : {
            layer: "operating system",
            state: "absent",
            detail: "the worker ran under Deno's permissions alone",
          },
        permissionLog === null
          ? { layer: "permission log", state: "absent", detail: NOT_ASKED }
          : judgePermissionLog(permissionLog, { read, write: [work] }),
        traced === null
          ? {
            layer: "system calls",
            state: "absent",
            detail: evidence ? "strace is not installed or may not trace" : NOT_ASKED,
          }
          : judgeTrace(traced, {
            deno: Deno.execPath(),
            allowed: [...read, runFolder, graph.denoDir, Deno.execPath(), PROJECT],
            forbidden: paths.trainingData,
          }),
      ];
      return { permissionLog, trace: traced, layers };
    },
  };
}
