import { join } from "@std/path";
import { MODEL_FILE } from "./checkpoint.ts";

const CHUNK = 2 ** 20;

/**
 * Whether two model folders hold one file of weights, byte by byte, by whatever names. Of different models the
 * first pieces tell. What cannot be read is the same as nothing.
 */
export async function sameWeights(one: string, other: string): Promise<boolean> {
  try {
    using a = await Deno.open(join(one, MODEL_FILE), { read: true });
    using b = await Deno.open(join(other, MODEL_FILE), { read: true });
    if ((await a.stat()).size !== (await b.stat()).size) return false;
    const [left, right] = [new Uint8Array(CHUNK), new Uint8Array(CHUNK)];
    for (;;) {
      const [count, read] = [await fill(a, left), await fill(b, right)];
      if (count !== read) return false;
      if (count === 0) return true;
      for (let i = 0; i < count; i++) if (left[i] !== right[i]) return false;
    }
  } catch {
    return false; // its reader says what is wrong with it
  }
}

/** Reads on until the buffer is full or the file ends. */
async function fill(file: Deno.FsFile, into: Uint8Array): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const count = await file.read(into.subarray(done)) ?? 0;
    if (count === 0) break;
    done += count;
  }
  return done;
}
