import { removeAtExit } from "./temporary_path.ts";

/** A file of numbers for this process alone. */
export interface UnnamedFile extends Disposable {
  /** Adds bytes at the end. @returns where they begin; null where there is no room for them */
  append(...parts: readonly (Float32Array | Uint8Array)[]): number | null;
  /** Reads as many bytes as `into` takes. */
  read(from: number, into: Float32Array | Uint8Array): void;
}

/**
 * Makes a temporary file that has no name once it is open (on Windows: until it is disposed of), so that
 * nothing of it is left, however this process ends.
 *
 * @returns null where there is no place for one
 */
export function openUnnamedFile(): UnnamedFile | null {
  let path: string;
  let file: Deno.FsFile;
  try {
    path = Deno.makeTempFileSync({ prefix: "lethe-" });
    file = Deno.openSync(path, { read: true, write: true });
  } catch {
    return null;
  }
  const forget = removeAtExit(path);
  const remove = () => {
    try {
      Deno.removeSync(path);
      forget();
      return true;
    } catch {
      return false; // Windows keeps it until it is closed
    }
  };
  const gone = remove();
  let [end, open] = [0, true];
  return {
    append(...parts) {
      const begin = end;
      try {
        file.seekSync(begin, Deno.SeekMode.Start);
        for (const bytes of parts.map(bytesOf)) {
          for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
          end += bytes.length;
        }
        return begin;
      } catch {
        end = begin;
        return null;
      }
    },
    read(from, into) {
      const bytes = bytesOf(into);
      file.seekSync(from, Deno.SeekMode.Start);
      for (let at = 0; at < bytes.length;) {
        const read = file.readSync(bytes.subarray(at));
        if (read === null) throw new RangeError("a temporary file ends early");
        at += read;
      }
    },
    [Symbol.dispose]() {
      if (open) file.close();
      if (open && !gone) remove();
      open = false;
    },
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
