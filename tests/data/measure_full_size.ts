import { parseArgs } from "@std/cli/parse-args";
import { join, resolve } from "@std/path";

/** What one step took. */
interface Measured {
  readonly step: string;
  /** Wall clock until the work that was asked for began, where it is told apart, and of that work. */
  readonly before?: number;
  readonly seconds: number;
  /** Largest resident memory of any one of the step's processes, MiB. */
  readonly peak: number;
}

/** Where a long step has done enough: so many units of a stage of its progress. */
interface Enough {
  readonly stage: string;
  readonly done: number;
}

const DENO = ["run", "--no-prompt", "--allow-read", "--allow-write"];
/**
 * Runs a process to its end, or until it has done enough, and watches its memory and its children's.
 *
 * @param args of Deno, run in `repo`
 */
async function measure(
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
  const watch = setInterval(() => {
    for (const pid of withChildren(process.pid)) peak = Math.max(peak, peakOf(pid));
  }, 50);
  let reached: Measured | undefined;
  let tail = "";
  const lines = process.stderr.pipeThrough(new TextDecoderStream());
  let rest = "";
  for await (const text of lines) {
    tail = (tail + text).slice(-2000);
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const line of parts) {
      const event = progressOf(line);
      if (!enough || reached || event?.stage !== enough.stage || event.done < enough.done) continue;
      const now = (performance.now() - begun) / 1000;
      // Events come every five seconds; the rate says when the stage began and how long so much takes.
      reached = {
        step,
        before: now - event.done / event.rate,
        seconds: enough.done / event.rate,
        peak: 0,
      };
      for (const pid of withChildren(process.pid)) Deno.kill(pid, "SIGKILL");
    }
  }
  const { success } = await process.status;
  clearInterval(watch);
  if (!success && !reached) throw new Error(`${step} failed: ${tail}`);
  const seconds = (performance.now() - begun) / 1000;
  return { ...(reached ?? { step, seconds }), peak };
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

/** MiB of resident memory that a process had at most. */
function peakOf(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

// deno run -A tests/data/measure_full_size.ts --data DIR --work DIR --steps split,open,..
//
// Measures what commands take on a data set of synthetic_celeba.ts, of this commit or of another
// one's files (--repo). `--model` and `--kit` are folders to measure with; train and meta-learn are
// stopped after 100 steps of 64 images and 100 requests of two people.
if (import.meta.main) {
  const { repo, data, work, steps, model, kit } = parseArgs(Deno.args, {
    string: ["repo", "data", "work", "steps", "model", "kit"],
    default: { repo: Deno.cwd(), work: "full-size", model: "model", kit: "kit", steps: "split" },
  });
  if (data === undefined) throw new Error("--data is needed");
  await Deno.mkdir(work, { recursive: true });
  const place = (name: string) => resolve(join(work, name));
  const { tasks } = JSON.parse(Deno.readTextFileSync(join(repo, "deno.json")));
  const task = (name: string) => {
    const flags = /--v8-flags=\S+/.exec(tasks[name.replaceAll("_", "-")]) ?? [];
    return [...DENO, ...flags, `tasks/${name}.ts`];
  };
  const [split, requests, root] = [place("split.json"), place("requests"), resolve(data)];
  const of = ["--split", split, "--data", root];
  const wasm = ["--device", "wasm", "--json-progress"];
  // `unlearn` and `audit` are started by another file than at first.
  const starter = [...Deno.readDirSync(join(repo, "tasks"))].some(({ name }) =>
    name === "start.js"
  );
  const contained = (name: string) => [
    ...[...DENO, "--no-code-cache", "--allow-run=/bin/sh"],
    ...(starter ? ["tasks/start.js", name] : [`tasks/${name}.ts`]),
  ];
  const fresh = (name: string) => place(`${name}-${crypto.randomUUID().slice(0, 8)}`);
  /** A kit serves once: each run gets a copy of its own, in a folder of its own. */
  const asked = () => {
    const own = fresh("kit");
    Deno.mkdirSync(join(own, "kit"), { recursive: true });
    for (const { name } of Deno.readDirSync(kit)) {
      Deno.copyFileSync(join(kit, name), join(own, "kit", name));
    }
    Deno.copyFileSync(`${resolve(kit)}.identity-key`, join(own, "kit.identity-key"));
    return ["--support", requests, "--kit", join(own, "kit"), "--device", "wasm"];
  };
  const inline = (code: string) => [
    "run",
    "-A",
    "--unstable-raw-imports",
    "--config",
    join(repo, "deno.json"),
    `data:application/typescript,${encodeURIComponent(code)}`,
  ];
  const lib = (file: string) => `file://${resolve(repo)}/${file}`;
  const measured: Record<string, () => Promise<Measured>> = {
    split: () =>
      measure("split", repo, [
        ...[...task("split"), "--dataset", "celeba", "--data", root, "--forget", "20"],
        ...["--out", split, "--requests", requests],
      ]),
    open: () =>
      measure(
        "open",
        repo,
        inline(
          `const { openSplit } = await import(${JSON.stringify(lib("lib/run/split_data.ts"))});` +
            `await openSplit(${JSON.stringify(split)}, ${JSON.stringify(root)});`,
        ),
      ),
    train: () =>
      measure("train", repo, [
        ...[...task("train"), ...of, "--out", fresh("trained"), "--preset", "vit_demo_patch8_32"],
        ...["--batch-size", "64", ...wasm],
      ], { stage: "train", done: 6400 }),
    "meta-learn": () =>
      measure("meta-learn", repo, [
        ...[...task("meta_learn"), ...of, "--model", resolve(model), "--out", fresh("learned")],
        ...["--request-size", "2", "--hidden", "64", "--statistics", "none", ...wasm],
      ], { stage: "meta-learn", done: 200 }),
    evaluate: () =>
      measure("evaluate", repo, [
        ...task("evaluate"),
        ...of,
        "--model",
        resolve(model),
        ...wasm.slice(0, 2),
      ]),
    unlearn: () =>
      measure("unlearn", repo, [...contained("unlearn"), ...asked(), "--out", fresh("unlearned")]),
    audit: () =>
      measure("audit", repo, [
        ...[...contained("audit"), ...asked(), "--training-data", root, "--out", fresh("audited")],
      ]),
  };
  for (const step of steps.split(",")) {
    const run = measured[step];
    if (!run) throw new Error(`--steps are of ${Object.keys(measured).join(", ")}, not ${step}`);
    console.log(JSON.stringify(await run()));
  }
}
