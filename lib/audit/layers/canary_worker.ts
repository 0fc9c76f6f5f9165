import { readFileSync } from "node:fs";
import { toFileUrl } from "@std/path";
import { guardReads, readPlainFile } from "../../files/plain_file.ts";

/** What the probe tries to come to. */
export interface CanaryJob {
  readonly targets: readonly CanaryTarget[];
}

/** Where the probe finds a file that the worker must not reach, or another name of it. */
export interface CanaryTarget {
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
function ways({ file, symbolicLink, hardLink, literalImport }: CanaryTarget) {
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

// The probe's entry: the job is a file, the answer one line of JSON: for each file the ways that reached it.
if (import.meta.main) {
  const { targets }: CanaryJob = JSON.parse(await Deno.readTextFile(Deno.args[0]));
  guardReads();
  const answer: string[][] = [];
  for (const target of targets) {
    const reached: string[] = [];
    for (const [way, attempt] of Object.entries(ways(target))) {
      try {
        await attempt();
        reached.push(way);
      } catch { /* that is what the walls are for */ }
    }
    answer.push(reached);
  }
  console.log(JSON.stringify(answer));
}
