import type { MachineFile } from "../sandbox/contained_run.ts";
import { shell } from "../sandbox/shell.ts";
import { hashFile } from "./hash_files.ts";

/**
 * The programs around the worker, where they are: shells, bubblewrap and strace, and those by which the
 * launcher learns of the machine, whose word could hide a mount or a mapped file.
 */
const PROGRAMS = `
for name in sh bash env bwrap strace cat grep mkfifo readlink rm sed sleep sort; do
  command -v "$name"
done
exit 0`;

/**
 * The files of the worker's address space, by the kernel's own list: the process whose command line
 * names the job and that is Deno. In a namespace of its own they have the same paths. Devices and memory
 * without a file are left out.
 */
const MAPPED = `
for list in $(grep -lzF -- "$1" /proc/[0-9]*/cmdline 2>/dev/null); do
  process=\${list%/cmdline}
  [ "$(readlink "$process/exe" 2>/dev/null)" = "$2" ] || continue
  sed -n 's/^[^/]* \\(\\/.*\\)$/\\1/p' "$process/maps" 2>/dev/null
done | sort -u | grep -v -e '^/dev/' -e '^/memfd:'
exit 0`;

/**
 * Lists what a worker that is at work has mapped.
 *
 * @param jobFile which its command line names
 * @returns paths; none where the system does not tell
 */
export async function mappedFiles(jobFile: string): Promise<string[]> {
  if (Deno.build.os !== "linux") return [];
  const { out } = await shell(MAPPED, jobFile, await Deno.realPath(Deno.execPath()));
  return out.split("\n").filter((path) => path !== "");
}

/**
 * Hashes the programs around the worker and what it had mapped.
 *
 * @param mapped from {@link mappedFiles}
 * @param apart paths whose files are hashed elsewhere: the packages, the output, Deno itself
 */
export async function hashMachine(
  mapped: readonly string[],
  apart: readonly string[],
): Promise<MachineFile[]> {
  const { out } = await shell(PROGRAMS);
  const programs = await Promise.all(
    out.split("\n").filter((path) => path.startsWith("/")).map((path) => Deno.realPath(path)),
  );
  const files: MachineFile[] = [];
  const add = async (path: string, use: MachineFile["use"]) => {
    const { sha256, bytes } = await hashFile(path);
    files.push({ path, use, sha256, bytes });
  };
  for (const path of new Set(programs)) await add(path, "program");
  for (const path of mapped) {
    if (!apart.some((place) => path === place || path.startsWith(`${place}/`))) {
      await add(path, "mapped");
    }
  }
  return files.sort((a, b) => a.path < b.path ? -1 : 1);
}
