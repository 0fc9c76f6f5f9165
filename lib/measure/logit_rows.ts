import { openUnnamedFile } from "../files/unnamed_file.ts";

/** Rows of logits that come one after the other and are asked for by their place. */
export interface LogitRows extends Disposable {
  /** Adds rows, [n, labels]. */
  add(logits: Float32Array): void;
  /** Copies of the rows at these places, in their order, [n, labels]. */
  rows(places: readonly number[]): Float32Array;
}

/** Bytes that stay in memory: 40 labels of 13,000 images. */
const IN_MEMORY = 2 * 2 ** 20;

/**
 * Opens rows of so many images. Where they take more than `inMemory` bytes they lie in an unnamed file: a
 * step asks for some hundred of them. Where there is no place for it, they stay in memory.
 */
export function openLogitRows(labels: number, images: number, inMemory = IN_MEMORY): LogitRows {
  const size = 4 * labels;
  const file = size * images <= inMemory ? null : openUnnamedFile();
  /** Rows in memory: all, or those for which the file has no room. */
  let kept = new Float32Array(file ? 0 : labels * images);
  let [filed, count] = [0, 0];
  return {
    add(logits) {
      const rows = logits.length / labels;
      if (file && count === filed && file.append(logits) !== null) {
        filed += rows;
      } else {
        if (kept.length === 0) kept = new Float32Array(labels * (images - filed));
        kept.set(logits, labels * (count - filed));
      }
      count += rows;
    },
    rows(places) {
      const rows = new Float32Array(labels * places.length);
      places.forEach((place, i) => {
        const row = rows.subarray(labels * i, labels * (i + 1));
        const at = labels * (place - filed);
        if (place < filed) file!.read(size * place, row);
        else row.set(kept.subarray(at, at + labels));
      });
      return rows;
    },
    [Symbol.dispose]: () => file?.[Symbol.dispose](),
  };
}
