import { fromFileUrl, join } from "@std/path";
import type { LayerOutcome } from "../../../lib/audit/layers/layer.ts";
import { say } from "../../../lib/audit/sandbox/shell.ts";
import { temporaryFolder } from "../../data/temporary_folder.ts";
import { type Ended, taskLine } from "../run_task.ts";
import { copy, inCopy } from "../small_path.ts";

const PROJECT = fromFileUrl(new URL("../../../", import.meta.url));

/** A copy of Lethe that an attacker may change, and a copy of the small path for it to work on. */
export interface PatchedCopy {
  /** `data/`, `requests/`, `kit/` and so on. */
  readonly folder: string;
  /** The copy of Lethe. */
  readonly lethe: string;
  /** Changes a file of the copy's code; the change must be one. */
  patch(file: string, from: string, to: string): Promise<void>;
  /** `deno task unlearn` of the copy, with the permissions of its deno.json. */
  unlearn(...args: readonly string[]): Promise<Ended>;
  /** The same, started by a shell that has run a script before, in `folder`. */
  unlearnAfter(script: string, ...args: readonly string[]): Promise<Ended>;
  /** The same, started by another script of the copy's. */
  unlearnFrom(entry: string, before: string, ...args: readonly string[]): Promise<Ended>;
  /** The same with all evidence: its layers by their names. */
  watched(sandbox: "os" | "deno"): Promise<Map<string, LayerOutcome>>;
}

/** A library user's run with evidence, as a task of its own. */
const WATCHED = `
import { unlearnContained } from "./lib/audit/sandbox/unlearn_contained.ts";
const { layers } = await unlearnContained({
  support: "requests", kit: "kit", out: "watched", trainingData: "portraits", evidence: true, branch: true, reason: "trial",
  settings: {
    device: "wasm", microBatch: 16, choice: { method: "metaunlearn", seed: 0, set: {} },
  },
  sandbox: Deno.args[0],
});
console.log(JSON.stringify(layers));`;

let lethe: Promise<string> | undefined;
let copied: string | undefined;
globalThis.addEventListener("unload", () => {
  if (copied !== undefined) Deno.removeSync(copied, { recursive: true });
});

/** A copy for all tests of a file, so that Deno compiles it once. */
function copyOfLethe(): Promise<string> {
  return lethe ??= (async () => {
    const to = copied = await temporaryFolder();
    for (const name of ["lib", "cli", "tasks", "deno.json", "deno.lock"]) {
      await copy(join(PROJECT, name), join(to, name));
    }
    await Deno.writeTextFile(join(to, "watched.ts"), WATCHED);
    return to;
  })();
}

/** Runs a body with a copy of Lethe, whose patches are undone at its end, and of the small path. */
export async function withPatchedCopy(body: (copy: PatchedCopy) => Promise<void>): Promise<void> {
  await inCopy(async (folder) => {
    const lethe = await copyOfLethe();
    const original = new Map<string, string>();
    const { flags, script, first } = taskLine("unlearn");
    const run = (entry: string, args: readonly string[], before = ":") =>
      say([
        ...["bash", "-c", `cd "$1" && shift && ${before} && exec "$@"`, "bash", folder],
        ...[Deno.execPath(), ...flags, join(lethe, entry), ...args],
      ]);
    try {
      await body({
        ...{ folder, lethe },
        async patch(file, from, to) {
          const path = join(lethe, file);
          const text = await Deno.readTextFile(path);
          if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
          if (!original.has(path)) original.set(path, text);
          await Deno.writeTextFile(path, text.replace(from, () => to));
        },
        unlearn: (...args) => run(script, [...first, ...args]),
        unlearnAfter: (before, ...args) => run(script, [...first, ...args], before),
        unlearnFrom: (entry, before, ...args) => run(entry, args, before),
        async watched(sandbox) {
          const { code, out, err } = await run("watched.ts", [sandbox]);
          if (code !== 0) throw new Error(err);
          const layers: LayerOutcome[] = JSON.parse(out.split("\n").at(-1)!);
          return new Map(layers.map((layer) => [layer.layer, layer]));
        },
      });
    } finally {
      for (const [path, text] of original) await Deno.writeTextFile(path, text);
    }
  });
}
