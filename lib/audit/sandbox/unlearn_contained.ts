import { dirname, fromFileUrl, join } from "@std/path";
import { claimOutput } from "../../files/claim_output.ts";
import { shellWord } from "../../files/shell_word.ts";
import { withTemporaryPath } from "../../files/temporary_path.ts";
import { buildFolder } from "../../files/write_whole.ts";
import { LetheError } from "../../error.ts";
import {
  closeUnlearning,
  type PlanOptions,
  planUnlearning,
  rowsFor,
  whileInUse,
} from "../../run/unlearn_plan.ts";
import type { UnlearnSummary } from "../../run/unlearn_summary.ts";
import { sendCanaries } from "../layers/canaries.ts";
import type { ContainedRun } from "./contained_run.ts";
import { chooseContainment, containedCommand } from "./containment.ts";
import type { SandboxChoice } from "./sandbox_choice.ts";
import { judgeEvidence, openWatch } from "../record/evidence.ts";
import { fileStamps } from "../record/file_stamps.ts";
import { hashFile } from "../record/hash_files.ts";
import { hashLibrary } from "../record/library.ts";
import { hashMachine, mappedFiles } from "../record/machine.ts";
import { checkInputs } from "./inputs.ts";
import { type Job, parseResult, type Result, type UnlearnSettings } from "./job.ts";
import { hashModules, hashPackages, PROJECT, readModuleGraph } from "../layers/module_graph.ts";
import { REQUEST_TABLE } from "./contained_run.ts";
import { checkOutputs } from "./outputs.ts";
import { workerAdapter } from "./worker_adapter.ts";
import { runContained } from "./run_contained.ts";
import { launcherCache } from "./launcher_cache.ts";
import { inRunFolder, temporaryFolder } from "./run_folder.ts";
import { driverFolders } from "./driver_folders.ts";

/** What {@link unlearnContained} needs. */
export interface UnlearnContainedOptions extends PlanOptions {
  /** How to compute. */
  readonly settings: UnlearnSettings;
  /** Which walls are asked for. */
  readonly sandbox: SandboxChoice;
  /** The data set, where it still exists: the canaries are taken from it, and nothing may overlap it. */
  readonly trainingData?: string;
  /** Also logs permissions, traces system calls and sends canaries. */
  readonly evidence?: boolean;
  /** Computes and checks all of it and keeps nothing: no output is there afterwards, and the kit is unused. */
  readonly trial?: boolean;
  /** Lines about the run: the walls, and what the worker says. */
  readonly onLine?: (line: string) => void;
}

/** Where the worker begins. */
const ENTRY = fromFileUrl(new URL("./unlearn_worker.ts", import.meta.url));

/**
 * Forgets the people of a folder of requests in a worker that can reach the requests, the kit and
 * one new folder, and nothing else (.github/ARCHITECTURE.md, section 5). This process keeps the
 * identity key, checks every path before and every output after, and gives the output its name.
 *
 * @param close may add files to the output before it takes its name: the receipt
 * @throws UsageError there is no kit
 * @throws LetheError an input is refused, the walls that are demanded cannot stand, or the worker
 *   fails or writes something else
 */
export async function unlearnContained(
  options: UnlearnContainedOptions,
  close?: (run: ContainedRun, folder: string) => Promise<void>,
): Promise<ContainedRun> {
  if (!options.trial) return await unlearnInto(options.out, options, close);
  // Beside `out`, even for a while, a trial would leave traces of itself.
  const place = await temporaryFolder("lethe-trial-", await launcherCache());
  return await withTemporaryPath(place, () => unlearnInto(join(place, "out"), options));
}

/** @param out what is made: of a trial in a place of its own */
async function unlearnInto(
  out: string,
  options: UnlearnContainedOptions,
  close?: (run: ContainedRun, folder: string) => Promise<void>,
): Promise<ContainedRun> {
  const { settings, onLine = () => {}, evidence = false } = options;
  using claim = await claimOutput(out);
  const { containment, why } = await chooseContainment(options.sandbox);
  const { paths, outcome: inputs } = await checkInputs(options);
  // Before any input is opened: from here on nothing needs the network.
  const entry = await Deno.realPath(ENTRY);
  const graph = await readModuleGraph(entry);
  if (graph.outcome.state === "failed") {
    throw new LetheError(graph.outcome.detail, "the worker imports its own code only", "undo it", {
      exitCode: 3,
    });
  }
  const plan = await planUnlearning(options);
  for (const { file, why } of plan.skipped) onLine(`skipped: ${file}: ${why}`);

  if (options.trial) {
    // Nobody's use of the kit, so that nothing is noted beside it.
    return await buildFolder(out, runWorker);
  }
  return await whileInUse(options, plan, (made) =>
    buildFolder(out, async (folder) => {
      const run = await runWorker(folder);
      await made(run.summary);
      return run;
    }));

  function runWorker(folder: string): Promise<ContainedRun> {
    return inRunFolder(
      [folder, claim.path, ...(options.trial ? [dirname(out)] : [])],
      graph.denoDir,
      async ({ runFolder, secretFolder, warden }) => {
        const nonce = crypto.getRandomValues(new Uint8Array(32)).toHex();
        const work = await Deno.realPath(folder);
        const { support, kit } = paths;
        const rows = await rowsFor(kit, plan, settings.choice.method);
        const { files } = plan;
        const job: Job = { nonce, support, kit, out: work, rows, hasCsv: files.hasCsv, settings };
        const jobFile = join(runFolder, "job.json");
        await Deno.writeTextFile(jobFile, JSON.stringify(job), { mode: 0o600 });
        // Of the folder of requests nothing but these exists for the worker.
        const requests = [...files.images, ...files.hasCsv ? [REQUEST_TABLE] : []]
          .map((file) => join(support, file));
        const readable = [jobFile, ...requests, kit];
        const { denoDir } = graph;
        const watch = await openWatch(evidence, runFolder);
        const command = await containedCommand(containment, {
          ...{ entry, modules: graph.modules, args: [jobFile] },
          ...{ read: readable, write: work, denoDir, runFolder },
          ...{ permissionLog: watch.permissionLog, trace: watch.trace },
          drivers: await driverFolders(
            [...Object.values(paths), work].filter((path) => path !== null),
          ),
        });
        const worker = { containment, ...command };
        onLine(`worker: ${command.permissions.map(shellWord).join(" ")}`);
        onLine(`walls: ${why}`);

        const stamps = await fileStamps([support, kit]);
        const code = await hashModules(graph);
        const started = new Date().toISOString();
        let mapped: Promise<string[]> = Promise.resolve([]);
        const ending = runContained(
          command.argv,
          command.environment,
          (line) => {
            // Once it has its device it has every driver.
            if (line.startsWith("device: ")) mapped = mappedFiles(jobFile);
            onLine(line);
          },
          (group) => void warden.watchGroup(group),
        );
        const { trainingData } = paths;
        const canaries = sendCanaries({
          ...{ trainingData, containment, denoDir, runFolder, secretFolder },
        });
        canaries.catch(() => {}); // told where it is awaited
        const ended = await ending.catch(async (error) => {
          await watch.end();
          throw error;
        });
        const end = new Date().toISOString();
        const seen = await watch.end();
        const { summary, read } = answer(ended, nonce);
        // Once more, after the run: they were checked before it.
        const packages = hashPackages(graph);

        const adapter = await workerAdapter(settings.device, summary.device);
        const written = await checkOutputs(folder, plan, summary, read, kit);
        await closeUnlearning(folder, summary);
        const run: ContainedRun = {
          ...{ nonce, started, ended: end, paths, worker, settings: recorded(settings, summary) },
          adapter,
          deno: { ...await hashFile(Deno.execPath()), version: Deno.version.deno },
          lockFile: await hashFile(join(PROJECT, "deno.lock"), "deno.lock"),
          library: hashLibrary(),
          machine: await hashMachine(await mapped, [Deno.execPath(), denoDir, work, PROJECT]),
          ...{ code, packages, read, written, ...seen, summary },
          layers: [
            inputs,
            graph.outcome,
            ...await judgeEvidence(seen, {
              ...{
                asked: evidence,
                paths,
                worker,
                read,
                readable,
                stamps,
                work,
                runFolder,
                denoDir,
              },
              modules: graph.modules,
            }),
            await canaries,
          ],
        };
        await close?.(run, folder);
        return run;
      },
    );
  }
}

/** All settings side by side, those of the method as they were used. */
function recorded(asked: UnlearnSettings, summary: UnlearnSummary) {
  const { device, microBatch, memoryLimit, allowUnusualStep, matchCheck, choice } = asked;
  const { method, seed } = choice;
  const { settings, staleStatistics } = summary;
  const limit = memoryLimit === undefined ? {} : { memoryLimit };
  const unusual = allowUnusualStep ? { allowUnusualStep } : {};
  const unmatched = matchCheck === false ? { matchCheck } : {};
  const others = { ...limit, ...unusual, ...unmatched };
  return { device, microBatch, ...others, method, seed, ...settings, staleStatistics };
}

function answer(
  { code, out }: { code: number; out: string },
  nonce: string,
): Extract<Result, { summary: unknown }> {
  const line = out.trimEnd().split("\n").at(-1)!;
  if (line === "") {
    throw new LetheError(
      `the worker ended with ${code} and no answer`,
      "it answers whatever happens, unless it could not start or was killed",
      "see its last lines above; free memory if it was killed",
    );
  }
  const result = parseResult(line, nonce);
  if ("summary" in result) return result;
  if ("failed" in result) throw new Error(result.failed);
  const { value, rule, remedy, exitCode } = result.refused;
  throw new LetheError(value, rule, remedy, { exitCode });
}
