import { join } from "@std/path";
import { writeFiles } from "../../data/temporary_folder.ts";

/** Spoils what lies in a folder, to see it refused. */
export type Spoil = (folder: string) => Promise<void>;

/** Removes a file or folder. */
export function remove(name: string): Spoil {
  return (folder) => Deno.remove(join(folder, name), { recursive: true });
}

/** Removes all that is in a folder. */
export function empty(name: string): Spoil {
  return async (folder) => {
    await remove(name)(folder);
    await Deno.mkdir(join(folder, name));
  };
}

/** Writes a file, in place of an old one. */
export function write(name: string, content: string | Uint8Array): Spoil {
  return (folder) => writeFiles(folder, { [name]: content });
}

/** Changes a text file's lines; the change must be one. */
export function edit(name: string, change: (lines: string[]) => string[]): Spoil {
  return async (folder) => {
    const path = join(folder, name);
    const text = await Deno.readTextFile(path);
    const changed = change(text.trimEnd().split("\n")).join("\n") + "\n";
    if (changed === text) throw new Error(`${name} is as it was`);
    await Deno.writeTextFile(path, changed);
  };
}

/** Changes a file's bytes. */
export function patch(name: string, change: (bytes: Uint8Array) => Uint8Array): Spoil {
  return async (folder) => {
    const path = join(folder, name);
    await Deno.writeFile(path, change(await Deno.readFile(path)));
  };
}

/** An entry of a safetensors header. */
export interface TensorEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Changes a safetensors file's header and leaves the data as they are. */
export function header(
  name: string,
  change: (entries: Record<string, TensorEntry>) => void,
): Spoil {
  return patch(name, (bytes) => {
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const entries = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    change(entries);
    const text = new TextEncoder().encode(JSON.stringify(entries));
    const changed = new Uint8Array(8 + text.length + bytes.length - 8 - length);
    new DataView(changed.buffer).setBigUint64(0, BigInt(text.length), true);
    changed.set(text, 8);
    changed.set(bytes.subarray(8 + length), 8 + text.length);
    return changed;
  });
}
