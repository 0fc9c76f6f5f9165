import { fromFileUrl, join } from "@std/path";
import { temporaryFolder } from "../../data/temporary_folder.ts";
import { WASM } from "../kit_folder.ts";
import { madeOnce } from "../made_once.ts";
import { runHere } from "../run_here.ts";
import { done } from "../run_task.ts";
import { copy, smallPath } from "../small_path.ts";

/** This clone. */
export const PROJECT = fromFileUrl(new URL("../../../", import.meta.url));
/** A path that names its user. */
const NAMED = ["Jané Doe's home", "work"];

const WATCHED = "--training-data portraits --split split.json --signing-key signer".split(" ");
const AUDIT = ["--support", "requests", "--kit", "kit", "--out", "audited", ...WATCHED, ...WASM];
/** What `audit` is given to verify it. */
export const VERIFY: readonly string[] = [
  ...["--verify", "audited/receipt.json", "--key", "signer.pub"],
];

/** The small path with an audited run: `audited/`, what was `said`, and its signer's key pair. */
async function make(place: string): Promise<void> {
  const folder = join(place, ...NAMED);
  await copy(await smallPath(), folder);
  await done("audit", ["--new-key", "signer"], folder);
  await Deno.writeTextFile(join(folder, "said"), await done("audit", AUDIT, folder));
  await Deno.writeTextFile(join(folder, "place"), place);
}

/** Runs a body in a copy of it; `place` names the folder in which it was made. */
export async function inAudited(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  try {
    await copy(join(await madeOnce("audited", make), ...NAMED), folder);
    await Deno.chmod(join(folder, "signer"), 0o600);
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs `audit` in this process: its layers by their state, and what it said. */
export async function audits(folder: string, args: readonly string[]) {
  const { code, out, err } = await runHere("audit", args, folder);
  return { code, ...states(out), noted: err };
}

/** The layers of what `audit` printed, by their state. */
export function states(said: string) {
  const lines = said.split("\n");
  const of = (state: string) =>
    lines.filter((line) => line.startsWith(`${state.padEnd(7)} `))
      .map((line) => line.slice(8).split(/ {2}/, 1)[0]);
  return { held: of("held"), failed: of("failed"), absent: of("absent"), said };
}

/** Changes a text file; the change must be one. */
export async function rewrite(path: string, change: (text: string) => string): Promise<void> {
  const text = await Deno.readTextFile(path);
  const changed = change(text);
  if (changed === text) throw new Error(`${path} is as it was`);
  await Deno.writeTextFile(path, changed);
}
