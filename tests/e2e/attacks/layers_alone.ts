import { join, toFileUrl } from "@std/path";
import { checkTree } from "../../../lib/audit/sandbox/inputs.ts";
import type { Containment } from "../../../lib/audit/sandbox/contained_run.ts";
import { containedCommand, TRACED_CALLS } from "../../../lib/audit/sandbox/containment.ts";
import { refuseComma } from "../../../lib/audit/sandbox/inputs.ts";
import {
  computedImports,
  PROJECT,
  readModuleGraph,
} from "../../../lib/audit/layers/module_graph.ts";
import { readMounts } from "../../../lib/audit/sandbox/mounts.ts";
import { judgePermissionLog, openPermissionLog } from "../../../lib/audit/record/permission_log.ts";
import { evidenceOf } from "../../../lib/audit/sandbox/run_contained.ts";
import { say, withoutDescriptors } from "../../../lib/audit/sandbox/shell.ts";
import { judgeTrace, projectFiles } from "../../../lib/audit/record/trace.ts";
import { LetheError } from "../../../lib/error.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";
import { HAS_BUBBLEWRAP, HAS_STRACE } from "./abilities.ts";
import { output, SECRET, setUp, type Way } from "./ways.ts";

/** What each layer does about a way, all others being switched off. */
export type LayersAlone = Readonly<Record<typeof COLUMNS[number], string>>;

/** The layers, and first of all none. */
export const COLUMNS = [
  ...["no layer", "Deno's permissions", "bubblewrap", "inputs", "reader", "module graph"] as const,
  ...["descriptors", "private cache", "permission log", "system calls"] as const,
] as const;

/** Not to be had on this machine. */
export const UNKNOWN = "?";

/** Tries a way against each layer alone. */
export async function layersAlone(way: Way): Promise<LayersAlone> {
  const found: Record<string, string> = {};
  await inTemporaryFolder(async (temporary) => {
    const folder = await Deno.realPath(temporary);
    const entry = await setUp(folder, way);
    const undo = await way.prepare?.(folder);
    try {
      Object.assign(found, await measure(way, folder, entry));
    } finally {
      await undo?.();
    }
  });
  return found as LayersAlone;
}

async function measure(way: Way, folder: string, entry: string): Promise<LayersAlone> {
  const went = (said: string) => said.includes(SECRET) ? "passes" : "stopped";
  const requests = join(folder, way.requests ?? "requests");
  const run = (changes: Partial<Trial>) =>
    attempt(way, folder, entry, {
      ...{ containment: "deno", all: true, closed: false },
      ...changes,
    });

  const trace = join(folder, "trace");
  const none = went(await run(HAS_STRACE ? { trace } : {}));
  const log = await openPermissionLog(join(folder, "run"));
  const deno = await run({ all: false, log: log.path });
  const logged = judgePermissionLog(await log.end(), {
    read: [requests, join(folder, "out")],
    write: [join(folder, "out")],
  });
  const graph = await readModuleGraph(entry);
  // The entry lies in no copy of Lethe: that alone is not what is asked here.
  const others = graph.outcome.detail.replace(/^[^:]*: /, "").split(", ")
    .filter((path) => path !== entry && path.startsWith("/") || path.startsWith("file:"));
  const reader = way.file === undefined
    ? ""
    : went(await byReader(folder, join(requests, way.file)));
  const row = {
    "no layer": none,
    "Deno's permissions": went(deno),
    bubblewrap: HAS_BUBBLEWRAP ? went(await run({ containment: "bubblewrap" })) : UNKNOWN,
    inputs: await refused(requests) ? "stopped" : "",
    reader,
    "module graph": others.length + (await computedImports(entry)).length > 0 ? "stopped" : "",
    descriptors: way.inherits === undefined ? "" : went(await run({ closed: true })),
    "permission log": logged.state === "failed" ? "shown" : "",
    "system calls": HAS_STRACE ? await traced(trace, folder, requests) : UNKNOWN,
  };
  return { ...row, "private cache": way.stored ? went(await inPrivateCache(folder, run)) : "" };
}

/** What the worker's own reader gives of a file, in a process that may do everything. */
async function byReader(folder: string, file: string): Promise<string> {
  const entry = join(folder, "worker/reader.ts");
  const reader = toFileUrl(join(PROJECT, "lib/files/plain_file.ts"));
  await Deno.writeTextFile(
    entry,
    `import { guardReads, readPlainText } from ${JSON.stringify(reader)};
guardReads();
console.log(await readPlainText(${JSON.stringify(file)}, { maxBytes: 1000 }));`,
  );
  const settings = ["--no-check", "--config", join(PROJECT, "deno.json")];
  return (await say([Deno.execPath(), "run", "-A", ...settings, entry])).out;
}

/** With a file where the storage would be, as a private cache has it. */
async function inPrivateCache(
  folder: string,
  run: (changes: Partial<Trial>) => Promise<string>,
): Promise<string> {
  await Deno.remove(join(folder, "cache/location_data"), { recursive: true });
  await Deno.writeTextFile(join(folder, "cache/location_data"), "");
  return await run({});
}

async function refused(requests: string): Promise<boolean> {
  try {
    refuseComma(requests);
    await checkTree(requests, await readMounts());
    return false;
  } catch (error) {
    if (error instanceof LetheError) return true;
    throw error;
  }
}

async function traced(trace: string, folder: string, requests: string): Promise<string> {
  const { state } = judgeTrace(await evidenceOf(trace), {
    deno: Deno.execPath(),
    allowed: [
      ...[requests, join(folder, "out"), join(folder, "run"), join(folder, "cache")],
      ...[join(folder, "worker"), Deno.execPath(), ...projectFiles(PROJECT)],
    ],
    forbidden: join(folder, "data"),
  });
  return state === "failed" ? "shown" : "";
}

interface Trial {
  readonly containment: Containment;
  /** Every permission of Deno's. */
  readonly all: boolean;
  /** The launcher closes what the worker inherits, and gives it no input. */
  readonly closed: boolean;
  readonly trace?: string;
  readonly log?: string;
}

/** What the way prints under the launcher's own command line, less the layers that are not tried. */
async function attempt(way: Way, folder: string, entry: string, trial: Trial): Promise<string> {
  const { argv, environment } = await containedCommand(trial.containment, {
    ...{ entry, modules: [entry], args: [], read: [join(folder, "requests")] },
    ...{
      denoDir: join(folder, "cache"),
      write: join(folder, "out"),
      runFolder: join(folder, "run"),
    },
    ...{ permissionLog: trial.log ?? null, trace: null, drivers: [] },
  });
  const inner = argv.slice(withoutDescriptors([]).length)
    .map((word) =>
      way.requests === undefined
        ? word
        : word.replaceAll(join(folder, "requests"), join(folder, way.requests))
    )
    .flatMap((word) =>
      !trial.all
        ? [word]
        : word === "--no-prompt"
        ? ["-A"]
        : word.startsWith("--allow-")
        ? []
        : [word]
    );
  inner.splice(inner.lastIndexOf(entry), 0, "--location", "http://x/");
  const calls = `trace=${TRACED_CALLS.map((call) => `?${call}`).join(",")}`;
  const watched = trial.trace === undefined
    ? inner
    : ["strace", "-f", "-qq", "-y", "--seccomp-bpf", "-e", calls, "-o", trial.trace, ...inner];
  const closed = trial.closed ? withoutDescriptors(watched) : watched;
  const secret = join(folder, "data/secret");
  // The launcher gives no input: only where that layer is off has the worker one.
  const inherits = trial.closed ? way.inherits?.replace(' < "$0"', "") : way.inherits;
  const whole = inherits === undefined ? closed : ["/bin/sh", "-c", inherits, secret, ...closed];
  return await output(whole, environment);
}
