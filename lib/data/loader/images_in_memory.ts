import type { StoredImages } from "./stored_source.ts";

/** Images that are in memory already. @param data [count, side, side, 3] bytes @param files in order */
export function imagesInMemory(
  side: number,
  data: Uint8Array,
  files: readonly string[],
): StoredImages {
  const size = side * side * 3;
  const positions = new Map(files.map((file, index) => [file, index]));
  return {
    side,
    indexOf: (file) => positions.get(file)!,
    pixels: (position) => data.subarray(position * size, (position + 1) * size),
  };
}
