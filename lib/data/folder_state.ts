import { join } from "@std/path";
import { sha256Hex } from "../files/sha256.ts";

/** Files that may hold labels; they are hashed, the others listed. */
const LABEL_FILE = /\.(txt|csv)$/i;
/** A larger one is no label file that Lethe reads. */
const MOST_BYTES = 256 * 2 ** 20;

/**
 * What a data set's folder holds, as one string that changes with any name in it and with any byte of
 * its label files. Images are not opened: whoever reads one holds it against its own hash.
 */
export function folderState(root: string): string {
  const labels: string[] = [];
  let [files, sum, mixed] = [0, 0, 0];
  const pending = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const { name, isDirectory, isFile } of Deno.readDirSync(join(root, folder))) {
      const path = folder === "" ? name : `${folder}/${name}`;
      if (isDirectory) pending.push(path);
      if (isFile && LABEL_FILE.test(name)) labels.push(`${path} ${hashOf(join(root, path))}`);
      // Sums do not depend on the order in which the file system lists names.
      const [a, b] = spread(`${isDirectory ? "/" : isFile ? "" : "@"}${path}`);
      files++;
      sum = (sum + a) >>> 0;
      mixed = (mixed + b) >>> 0;
    }
  }
  return JSON.stringify([files, sum, mixed, labels.sort()]);
}

function hashOf(path: string): string {
  if (Deno.statSync(path).size > MOST_BYTES) return "too large";
  return sha256Hex(Deno.readFileSync(path));
}

/** Two numbers of a name, 64 bits in all: FNV-1a with two primes. */
function spread(text: string): [number, number] {
  let [a, b] = [0x811c9dc5, 0xcbf29ce4];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x85ebca6b);
    b ^= b >>> 13;
  }
  return [a >>> 0, b >>> 0];
}
