import { tmpdir } from "node:os";
import { dirname, join } from "@std/path";

/** How the names of all folders begin that a run of the tests makes beside its own output. */
const BEGINNING = "lethe-test-";
/** Milliseconds after which a folder of a process that is gone is nobody's any more. */
const AN_HOUR = 3_600_000;
let swept: Promise<void> | undefined;

/** Where something lies that this run's test files share. */
export const ofThisRun = (name: string) => join(tmpdir(), `${BEGINNING}${Deno.pid}-${name}`);

/** A folder for whoever asks, who removes it. What runs have left that were killed goes first. */
export async function temporaryFolder(): Promise<string> {
  await (swept ??= sweep());
  return await Deno.makeTempDir({ prefix: `${BEGINNING}${Deno.pid}-` });
}

/** Removes old folders of processes that are not there any more, where the system tells. */
async function sweep(): Promise<void> {
  if (Deno.build.os !== "linux") return;
  for (const { name } of await Array.fromAsync(Deno.readDir(tmpdir()))) {
    const [, pid] = /^lethe-test-(\d+)-/.exec(name) ?? [];
    if (pid === undefined || await Deno.stat(`/proc/${pid}`).catch(() => null) !== null) continue;
    const path = join(tmpdir(), name);
    const made = (await Deno.stat(path).catch(() => null))?.mtime?.getTime() ?? Infinity;
    // Another user's is left to them.
    if (Date.now() - made > AN_HOUR) await Deno.remove(path, { recursive: true }).catch(() => {});
  }
}

/** Runs a test in a folder of its own, which is removed afterwards. */
export async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes files below a folder, making the folders they need. */
export async function writeFiles(
  folder: string,
  files: Record<string, string | Uint8Array>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await Deno.mkdir(dirname(path), { recursive: true });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(path, bytes);
  }
}
