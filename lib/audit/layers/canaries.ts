import { fromFileUrl, join } from "@std/path";
import type { CanaryJob, CanaryTarget, CanaryWay } from "./canary_worker.ts";
import type { Containment } from "../sandbox/contained_run.ts";
import { containedCommand } from "../sandbox/containment.ts";
import type { LayerOutcome } from "./layer.ts";
import { smallFile } from "./small_file.ts";
import { PROJECT, readModuleGraph } from "./module_graph.ts";
import { runContained } from "../sandbox/run_contained.ts";
import { say } from "../sandbox/shell.ts";
import { inCache } from "../sandbox/start.js";

/** What reaches the file where nothing stands in the way; the controls. */
const BARE: readonly CanaryWay[] = [
  ...["Deno.readFile", "node:fs", "fetch of a file: URL", "import of a computed path"] as const,
  ...["import of a literal", "symbolic link", "hard link"] as const,
];
/** What Lethe's reader must refuse, and does refuse without any walls. */
const READER: readonly CanaryWay[] = [
  "symbolic link by Lethe's reader",
  "hard link by Lethe's reader",
];
/** A second name in a folder that may be read is the file itself: launcher and reader stand against it. */
const BEYOND: Readonly<Record<Containment, readonly CanaryWay[]>> = {
  bubblewrap: ["hard link"],
  // Deno follows links and asks no permission for literal imports; the module graph has none of those.
  deno: ["hard link", "symbolic link", "import of a literal"],
};

/** What {@link sendCanaries} needs. */
export interface CanaryOptions {
  /** The data set, where it still exists. */
  readonly trainingData: string | null;
  readonly containment: Containment;
  readonly denoDir: string;
  readonly runFolder: string;
  /** A folder of the launcher's own, empty, that nobody is granted; the secret lies in it. */
  readonly secretFolder: string;
}

/**
 * Sends a probe for a secret of the launcher's own and, where there is a training folder, for a file of
 * it, under the very walls that the worker has, and once without any: a wall that stops nothing that
 * would otherwise pass proves nothing.
 *
 * Hard links are made for a moment in `runFolder`, where that is on the file's file system.
 */
export async function sendCanaries(
  { trainingData, containment, denoDir, runFolder, secretFolder }: CanaryOptions,
): Promise<LayerOutcome> {
  const secret = join(secretFolder, "secret.txt");
  await Deno.writeTextFile(secret, crypto.randomUUID());
  const trained = trainingData === null ? null : await smallFile(trainingData);
  const names = join(runFolder, "canaries");
  const write = join(runFolder, "nothing");
  for (const folder of [names, write]) await Deno.mkdir(folder);
  try {
    const targets = [await nameTarget(names, "secret", secret)];
    if (trained !== null) targets.push(await nameTarget(names, "training", trained));
    const jobFile = join(names, "job.json");
    await Deno.writeTextFile(jobFile, JSON.stringify({ targets } satisfies CanaryJob));
    const entry = await Deno.realPath(fromFileUrl(new URL("./canary_worker.ts", import.meta.url)));
    const { modules } = await readModuleGraph(entry);
    const settings = ["--no-prompt", "--config", join(PROJECT, "deno.json"), "--cached-only"];
    const control = say(
      [Deno.execPath(), "run", "-A", ...settings, entry, jobFile],
      inCache(denoDir),
    );
    const { argv, environment } = await containedCommand(containment, {
      ...{ entry, modules, args: [jobFile], read: [names], write, denoDir, runFolder },
      ...{ permissionLog: null, trace: null, drivers: [] },
    });
    const contained = parse((await runContained(argv, environment, () => {})).out);
    const bare = parse((await control).out);
    const outcomes = targets.map(({ hardLink }, i) =>
      judgeCanaries(
        bare?.[i] ?? null,
        contained?.[i] ?? null,
        containment,
        hardLink !== null,
        i === 0 ? "a secret of the launcher's own" : "a training file",
      )
    );
    const detail = outcomes.map(({ detail }) => detail);
    if (trainingData === null) detail.push("no training folder was named");
    else if (trained === null) detail.push("the training folder holds no file that can be read");
    const failed = outcomes.some(({ state }) => state === "failed");
    return { layer: "canaries", state: failed ? "failed" : "held", detail: detail.join("; ") };
  } finally {
    // At once: while they are there the training file has two names.
    await Deno.remove(names, { recursive: true });
  }
}

/** Gives a file the other names that a worker might come to it by. */
async function nameTarget(folder: string, name: string, file: string): Promise<CanaryTarget> {
  const target: CanaryTarget = {
    file,
    symbolicLink: join(folder, `${name}-symbolic`),
    hardLink: join(folder, `${name}-hard`),
    literalImport: join(folder, `${name}-literal.ts`),
  };
  await Deno.symlink(file, target.symbolicLink);
  const linked = await Deno.link(file, target.hardLink!).then(() => true, () => false);
  const literal = `import bytes from ${JSON.stringify(file)} with { type: "bytes" };\n`;
  await Deno.writeTextFile(target.literalImport, `${literal}export default bytes;\n`);
  return linked ? target : { ...target, hardLink: null };
}

/**
 * Holds what the probe reached against what it must and must not reach.
 *
 * @param control the ways that reached the file without walls; null: the probe did not answer
 * @param contained the ways that reached it within them
 * @param linked whether there was a hard link to try
 * @param what the file is
 */
export function judgeCanaries(
  control: readonly string[] | null,
  contained: readonly string[] | null,
  containment: Containment,
  linked: boolean,
  what = "a training file",
): LayerOutcome {
  const layer = "canaries";
  if (control === null || contained === null) {
    return { layer, state: "failed", detail: "the probe gave no answer" };
  }
  const tried = (way: CanaryWay) => linked || !way.startsWith("hard link");
  const blind = BARE.filter(tried).filter((way) => !control.includes(way));
  if (blind.length > 0) {
    const detail = `nothing shown: without walls the probe fails too, by ${blind.join(", ")}`;
    return { layer, state: "failed", detail };
  }
  const walls = [...BARE, ...READER].filter(tried)
    .filter((way) => !BEYOND[containment].includes(way));
  const through = walls.filter((way) => contained.includes(way));
  if (through.length > 0) {
    return {
      layer,
      state: "failed",
      detail: `${what} is reached by ${through.join(", ")}`,
    };
  }
  const notes = BEYOND[containment].filter((way) => contained.includes(way))
    .map((way) =>
      `${way}: reached, stopped by ${way.startsWith("import") ? "the module graph" : "the reader"}`
    );
  const bare = walls.filter((way) => !READER.includes(way));
  const detail = [
    `${what} is reached without walls and not within them, by ${bare.join(", ")}`,
    "Lethe's reader refuses links to it",
    ...notes,
    ...linked ? [] : ["no hard link: the file is on another file system or another user's"],
  ].join("; ");
  return { layer, state: "held", detail };
}

function parse(out: string): string[][] | null {
  try {
    const value = JSON.parse(out.trimEnd().split("\n").at(-1)!);
    return Array.isArray(value) ? value.map((ways: unknown[]) => ways.map(String)) : null;
  } catch {
    return null;
  }
}
