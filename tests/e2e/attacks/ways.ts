import { join, toFileUrl } from "@std/path";
import { runContained } from "../../../lib/audit/sandbox/run_contained.ts";
import { say, shell } from "../../../lib/audit/sandbox/shell.ts";
import { writeFiles } from "../../data/temporary_folder.ts";

/** Stands for a training image. */
export const SECRET = "a training image";

/** A way by which a worker might come to a training file. */
export interface Way {
  readonly name: string;
  /** A module that prints what it got of the file at `path`. */
  readonly code: (path: string) => string;
  /** What has to lie there besides, below the folder of {@link setUp}; what it gives undoes it. */
  readonly prepare?: (folder: string) => Promise<(() => Promise<unknown>) | void>;
  /** What the launcher's shell does before it starts the worker; `$0` is the file. */
  readonly inherits?: string;
  /** Only who may mount can try it. */
  readonly mounts?: true;
  /** The file's name among the requests, where it has one. */
  readonly file?: string;
  /** It lies in the storage of DENO_DIR. */
  readonly stored?: true;
  /** A folder of requests by another name. */
  readonly requests?: string;
}

const read = (path: string) =>
  `console.log(await Deno.readTextFile(new URL(${JSON.stringify(path)}, import.meta.url)));`;

/** Runs code where nothing stands in the way, in the DENO_DIR of the way's own. */
const store = (code: string) => async (folder: string) => {
  const entry = join(folder, "worker/store.ts");
  await Deno.writeTextFile(entry, code);
  await Deno.remove(join(folder, "cache/location_data"));
  await say([Deno.execPath(), "run", "-A", "--no-config", "--location", ORIGIN, entry], {
    DENO_DIR: join(folder, "cache"),
  });
};
const ORIGIN = "http://x/";

/** All ways of the table in lib/audit/README.md. */
export const WAYS: readonly Way[] = [
  {
    name: "`Deno.readTextFile`",
    code: (path) => `console.log(await Deno.readTextFile(${JSON.stringify(path)}));`,
  },
  {
    name: "`node:fs`",
    code: (path) =>
      `import { readFileSync } from "node:fs"; console.log(readFileSync(${
        JSON.stringify(path)
      }, "utf8"));`,
  },
  {
    name: "`fetch` of a `file:` URL",
    code: (path) => `console.log(await (await fetch(${JSON.stringify(toFileUrl(path))})).text());`,
  },
  {
    name: "`import` of a literal",
    code: (path) =>
      `import text from ${
        JSON.stringify(toFileUrl(path))
      } with { type: "text" }; console.log(text);`,
  },
  {
    name: "`import` of a computed path",
    code: (path) =>
      `const path = ${
        JSON.stringify(toFileUrl(path))
      }; const { default: text } = await import(path + "", { with: { type: "text" } }); console.log(text);`,
  },
  {
    name: "`import` of a computed path, hidden in `eval`",
    code: (path) =>
      `const { default: text } = await (0, eval)(${
        JSON.stringify(`import(${JSON.stringify(toFileUrl(path))}, { with: { type: "text" } })`)
      }); console.log(text);`,
  },
  {
    name: "a `Worker`",
    code: (path) => {
      const inner = `postMessage(Deno.readTextFileSync(${JSON.stringify(path)}));`;
      return `const url = "data:application/javascript," + encodeURIComponent(${
        JSON.stringify(inner)
      });
      const worker = new Worker(url, { type: "module" });
      console.log(await new Promise((resolve, reject) => {
        worker.onmessage = (event) => resolve(event.data);
        worker.onerror = (event) => { event.preventDefault(); reject(new Error(event.message)); };
      }));
      worker.terminate();`;
    },
  },
  {
    name: "a child process",
    code: (path) =>
      `const { stdout } = await new Deno.Command("cat", { args: [${
        JSON.stringify(path)
      }] }).output();
      console.log(new TextDecoder().decode(stdout));`,
  },
  {
    name: "a symbolic link among the requests",
    file: "link",
    code: () => read("../requests/link"),
    prepare: (folder) => Deno.symlink("../data/secret", join(folder, "requests/link")),
  },
  {
    name: "a hard link among the requests",
    file: "hard",
    code: () => read("../requests/hard"),
    prepare: (folder) => Deno.link(join(folder, "data/secret"), join(folder, "requests/hard")),
  },
  {
    name: "a folder mounted among the requests",
    file: "mounted/secret",
    code: () => read("../requests/mounted/secret"),
    mounts: true,
    async prepare(folder) {
      const [from, to] = [join(folder, "data"), join(folder, "requests/mounted")];
      await Deno.mkdir(to);
      await shell('mount --bind "$1" "$2"', from, to);
      return () => shell('umount "$1"', to);
    },
  },
  {
    name: "a granted path with a comma",
    code: (path) => `console.log(await Deno.readTextFile(${JSON.stringify(path)}));`,
    // Of `FOLDER/,/requests` Deno makes `FOLDER/` and `/requests`.
    requests: ",/requests",
  },
  {
    name: "standard input",
    code: () => "console.log(await new Response(Deno.stdin.readable).text());",
    inherits: 'exec "$@" < "$0"',
  },
  {
    name: "an inherited descriptor",
    // Where it was closed, Deno may have the number for a pipe of its own, and reading that never ends.
    code: () =>
      'const path = "/proc/self/fd/9"; if ((await Deno.stat(path)).isFile) console.log(await Deno.readTextFile(path));',
    inherits: 'exec "$@" 9< "$0"',
  },
  {
    name: "`localStorage`",
    stored: true,
    code: () => 'console.log(localStorage.getItem("a"));',
    prepare: store(`localStorage.setItem("a", ${JSON.stringify(SECRET)});`),
  },
  {
    name: "the Cache API",
    stored: true,
    code: () =>
      'console.log(await (await (await caches.open("x")).match("http://x/p"))?.text() ?? "");',
    prepare: store(
      `await (await caches.open("x")).put("http://x/p", new Response(${JSON.stringify(SECRET)}));`,
    ),
  },
];

/** Longer than any way takes: a worker that waits for ever is killed, and says nothing. */
const LIMIT = 120_000;

/** What a contained program prints. */
export async function output(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), LIMIT);
  try {
    return (await runContained(argv, environment, () => {}, () => {}, controller.signal)).out;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A folder with a secret, requests, a DENO_DIR like a private one, and the way.
 *
 * @returns the module to run: it reads a request, as every worker does, and then tries its way
 */
export async function setUp(folder: string, { code, requests = "requests" }: Way): Promise<string> {
  // A way that waits for ever would hold up the whole suite.
  const request = `Deno.unrefTimer(setTimeout(() => Deno.exit(7), 60_000));
await Deno.readTextFile(new URL("../${requests}/a", import.meta.url));`;
  await writeFiles(folder, {
    "data/secret": SECRET,
    "worker/attack.ts": `${request}\n${code(join(folder, "data/secret"))}`,
    "requests/a": "a request",
    ",/requests/a": "a request",
    "cache/npm/a": "",
    "cache/location_data": "",
    "out/a": "",
    "run/a": "",
  });
  return join(folder, "worker/attack.ts");
}
