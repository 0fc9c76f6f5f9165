import { join } from "@std/path";
import type { ContainedRun, EvidenceText, HashedFile } from "../sandbox/contained_run.ts";
import { isUntouched } from "./file_stamps.ts";
import { hashFile } from "./hash_files.ts";
import type { LayerOutcome } from "../layers/layer.ts";
import { PROJECT } from "../layers/module_graph.ts";
import { isWithin } from "../sandbox/mounts.ts";
import { judgePermissionLog, openPermissionLog } from "./permission_log.ts";
import { evidenceOf } from "../sandbox/run_contained.ts";
import { SHELL, shell } from "../sandbox/shell.ts";
import { LIBRARY_PATH } from "../sandbox/driver_folders.ts";
import { judgeTrace, projectFiles } from "./trace.ts";

/** Where a run leaves its evidence; null: nowhere. */
export interface Watch {
  readonly permissionLog: string | null;
  readonly trace: string | null;
  /** Collects it; call it once, when the worker has ended, however it did. */
  end(): Promise<Evidence>;
}

/** What a run left; null where it was not asked for or could not be had. */
export interface Evidence {
  readonly permissionLog: EvidenceText | null;
  readonly trace: EvidenceText | null;
}

/** Opens the permission log and finds out whether system calls can be traced, where they are asked for. */
export async function openWatch(asked: boolean, runFolder: string): Promise<Watch> {
  const log = asked && Deno.build.os !== "windows" ? await openPermissionLog(runFolder) : null;
  const traceable = asked && (await shell("strace -qq -f -y true")).code === 0;
  const trace = traceable ? join(runFolder, "trace") : null;
  return {
    permissionLog: log?.path ?? null,
    trace,
    async end() {
      const permissionLog = await log?.end() ?? null;
      // A worker that could not start left none.
      return {
        permissionLog,
        trace: trace === null ? null : await evidenceOf(trace).catch(() => null),
      };
    },
  };
}

/** What the layers of one run are judged by. */
export interface Watched {
  readonly asked: boolean;
  readonly paths: ContainedRun["paths"];
  readonly worker: ContainedRun["worker"];
  /** What the worker says that it read. */
  readonly read: readonly HashedFile[];
  /** The job, the requests, the kit. */
  readonly readable: readonly string[];
  /** Of the requests and the kit, before the worker started. */
  readonly stamps: ReadonlyMap<string, string>;
  /** Where it wrote. */
  readonly work: string;
  readonly runFolder: string;
  readonly denoDir: string;
  /** The project's modules that it loads. */
  readonly modules: readonly string[];
}

const NOT_ASKED = "not asked for: deno task audit gathers it";

/** Holds a run's evidence against what the run was to do. */
export async function judgeEvidence(
  { permissionLog, trace }: Evidence,
  { asked, paths, worker, read, readable, stamps, work, runFolder, denoDir, modules }: Watched,
): Promise<LayerOutcome[]> {
  const mayRead = [...readable, work];
  const drivers = worker.environment[LIBRARY_PATH]?.split(":") ?? [];
  const outcome = (layer: string, held: boolean | null, detail: string): LayerOutcome => ({
    layer,
    state: held === null ? "absent" : held ? "held" : "failed",
    detail,
  });
  const closed = worker.argv[0] === SHELL;
  const allowed = worker.permissions.filter((flag) => flag.startsWith("--allow")).join(" ");
  return [
    outcome(
      "descriptors",
      closed ? true : null,
      closed
        ? `descriptors 0, 1, 2 and no others; no input; ${
          Object.keys(worker.environment).join(", ")
        }`
        : `nothing closes descriptors on ${Deno.build.os}`,
    ),
    await judgeReader(read, paths, stamps),
    outcome("permissions", true, `${allowed}; no net, env, run, ffi, sys`),
    worker.containment === "bubblewrap"
      ? outcome(
        "operating system",
        true,
        "bubblewrap: nothing but code, Deno, drivers, requests, kit and output exists; no network",
      )
      : outcome("operating system", null, "the worker ran under Deno's permissions alone"),
    permissionLog === null
      ? outcome("permission log", null, asked ? `no pipe on ${Deno.build.os}` : NOT_ASKED)
      : judgePermissionLog(permissionLog, { read: mayRead, write: [work] }),
    trace === null
      ? outcome("system calls", null, asked ? "strace is not here or may not trace" : NOT_ASKED)
      : judgeTrace(trace, {
        deno: Deno.execPath(),
        allowed: [
          ...drivers,
          ...mayRead,
          runFolder,
          denoDir,
          Deno.execPath(),
          ...projectFiles(PROJECT, modules),
        ],
        forbidden: paths.trainingData,
      }),
  ];
}

/** The hash of what lies at a path now; null where it is a link by now, lies behind one or has two names. */
async function nowAt(path: string): Promise<string | null> {
  try {
    const { nlink } = await Deno.lstat(path);
    const once = (nlink ?? 1) === 1 && await Deno.realPath(path) === path;
    return once ? (await hashFile(path)).sha256 : null;
  } catch {
    return null;
  }
}

/**
 * The hashes that the worker's reader noted against the files as they are now. A large file of the kit that
 * nobody has written to since before the worker started is not read again: the kit names its hash.
 */
async function judgeReader(
  read: readonly HashedFile[],
  { support, kit }: ContainedRun["paths"],
  stamps: ReadonlyMap<string, string>,
): Promise<LayerOutcome> {
  const outside = read.find(({ path }) => !isWithin(path, support) && !isWithin(path, kit));
  const changed: string[] = [];
  for (const { path, sha256 } of outside ? [] : read) {
    if (isWithin(path, kit) && await isUntouched(path, stamps)) continue;
    if (await nowAt(path) !== sha256) changed.push(path);
  }
  const held = !outside && changed.length === 0 && read.length > 0;
  return {
    layer: "reader",
    state: held ? "held" : "failed",
    detail: held
      ? `${read.length} requests and kit files, each under its one name, and still what was read`
      : outside
      ? `the worker says that it read ${outside.path}`
      : `changed since they were read: ${changed.join(", ")}`,
  };
}
