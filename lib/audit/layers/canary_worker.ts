import { readFileSync } from "node:fs";
import { toFileUrl } from "@std/path";
import { guardReads, readPlainFile } from "../../files/plain_file.ts";

/** Where the probe finds the training file, or another name of it. */
export interface CanaryJob {
  readonly file: string;
  readonly symbolicLink: string;
  /** Null where none can be made: the file is on another file system or another user's. */
  readonly hardLink: string | null;
  /** A module that imports the file by a literal. */
  readonly literalImport: string;
}

/** The ways by which the probe tries to come to the file. */
export type CanaryWay = keyof ReturnType<typeof ways>;

/** Each way throws, or gives the bytes. */
function ways({ file, symbolicLink, hardLink, literalImport }: CanaryJob) {
  const url = toFileUrl(file).href;
  return {
    "Deno.readFile": () => Deno.readFile(file),
    "node:fs": () => readFileSync(file),
    "fetch of a file: URL": () => fetch(url).then((response) => response.bytes()),
    "import of a computed path": () => import(url, { with: { type: "bytes" } }),
    "import of a literal": () => import(toFileUrl(literalImport).href),
    "symbolic link": () => Deno.readFile(symbolicLink),
    "hard link": () => hardLink === null ? none() : Deno.readFile(hardLink),
    "symbolic link by Lethe's reader": () => readPlainFile(symbolicLink, { maxBytes: 2 ** 30 }),
    "hard link by Lethe's reader": () =>
      hardLink === null ? none() : readPlainFile(hardLink, { maxBytes: 2 ** 30 }),
  };
}

function none(): Promise<never> {
  return Promise.reject(new Error("there is none"));
}

// The probe's entry: the job is a file, the answer one line of JSON, the ways that reached the file.
if (import.meta.main) {
  const job: CanaryJob = JSON.parse(await Deno.readTextFile(Deno.args[0]));
  guardReads();
  const reached: string[] = [];
  for (const [way, attempt] of Object.entries(ways(job))) {
    try {
      await attempt();
      reached.push(way);
    } catch { /* that is what the walls are for */ }
  }
  console.log(JSON.stringify(reached));
}
