import { join } from "@std/path";
import { done } from "./run_task.ts";
import { temporaryFolder } from "../data/temporary_folder.ts";
import { madeOnce } from "./made_once.ts";

/** N_S of the small kit; one person more asks to be forgotten. */
export const REQUEST_SIZE = 2;

/** What `train` is given besides its output, epochs and device. */
export const TRAIN =
  "--split split.json --data portraits --preset vit_demo_patch8_32 --recipe portraits"
    .split(" ");

/** What `meta-learn` is given besides its output, epochs, N_S and device. */
export const META_LEARN =
  "--model model --split split.json --data portraits --hidden 16 --embedding-size 8"
    .split(" ");

// WASM is ready at once, where a software adapter needs seconds to compile its kernels.
const BRIEFLY = ["--device", "wasm", "--epochs"];

const DATA = ["portraits", "split.json", "split.json.index", "requests"];
const MODEL = [...DATA, "model"];
const PATH = [...MODEL, "kit", "kit.identity-key", "kit.history.svg", "retrained"];

/** The small path, made by its tasks: all that comes before unlearning. */
async function make(folder: string): Promise<void> {
  const portraits = "--identities 16 --images-per-identity 4 --size 16 --out portraits";
  await done("portraits", portraits.split(" "), folder);
  const split = "--dataset celeba --data portraits --forget 3 --out split.json --requests requests";
  await done("split", split.split(" "), folder);
  const train = [...TRAIN, ...BRIEFLY, "2"];
  await done("train", [...train, "--out", "model"], folder);
  await done("train", [...train, "--without-forget", "--out", "retrained"], folder);
  const request = ["--request-size", String(REQUEST_SIZE)];
  await done("meta-learn", [...META_LEARN, ...request, ...BRIEFLY, "1", "--out", "kit"], folder);
}

let folder: string | undefined;
globalThis.addEventListener("unload", () => {
  if (folder !== undefined) Deno.removeSync(folder, { recursive: true });
});

/** Copies parts of the small path to this file's own folder once, however often it is asked for. */
function once(parts: readonly string[]): () => Promise<string> {
  let copied: Promise<string> | undefined;
  return () =>
    copied ??= (async () => {
      const to = folder ??= await temporaryFolder();
      const made = await madeOnce("path", make);
      for (const part of parts) await copy(join(made, part), join(to, part));
      return to;
    })();
}

/** `portraits/` of 16 people, `split.json` and, of 3 people to forget, `requests/`. */
export const smallData = once(DATA);

/** Besides, `model/`. */
export const smallModel = once(MODEL);

/** Besides, `kit/` with its key and `retrained/`: all that comes before unlearning. */
export const smallPath = once(PATH);

/** Runs a body in a copy of the small path, which it may spoil. */
export async function inCopy(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  try {
    await copy(await smallPath(), folder);
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Copies a file, or a folder with all that is in it. */
export async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name));
}

/** Names in a folder, sorted. */
export function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

/** Every path below a folder, sorted; folders end in a slash. */
export async function tree(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (!isDirectory) paths.push(name);
    else {paths.push(
        `${name}/`,
        ...(await tree(join(folder, name))).map((path) => `${name}/${path}`),
      );}
  }
  return paths.sort();
}
