import { join } from "@std/path";

/** Files that the smallest is taken of: what the probe reads, it reads whole and several times. */
const LOOKED_AT = 100;

/** A small plain file somewhere in a folder that this process can read. */
export async function smallFile(folder: string): Promise<string | null> {
  let some: { readonly path: string; readonly size: number }[] = [];
  const smallest = async () => {
    some.sort((a, b) => a.size - b.size || (a.path < b.path ? -1 : 1));
    for (const { path } of some) {
      if (await Deno.open(path).then((file) => (file.close(), true), () => false)) return path;
    }
    some = [];
    return null;
  };
  for await (const path of filesBelow(folder)) {
    const size = await Deno.lstat(path).then(({ size }) => size, () => Infinity);
    if (some.push({ path, size }) < LOOKED_AT) continue;
    const found = await smallest();
    if (found !== null) return found;
  }
  return await smallest();
}

/** Files as the system lists them: a folder of training images may have hundreds of thousands. */
async function* filesBelow(folder: string): AsyncGenerator<string> {
  const below: string[] = [];
  try {
    for await (const { name, isFile, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) below.push(join(folder, name));
      if (isFile) yield join(folder, name);
    }
  } catch {
    // What cannot be listed holds nothing that can be read.
  }
  for (const path of below.sort()) yield* filesBelow(path);
}
