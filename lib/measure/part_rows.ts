/** Rows of images that belong to one part. */
export interface PartRows<Part> {
  readonly part: Part;
  /** Place of the first of them within the part. */
  readonly from: number;
  readonly images: number;
  /** Row after row. */
  readonly rows: Float32Array;
}

/**
 * Shares rows out among the parts that their images belong to.
 *
 * @param sizes images of each part, one part after the other
 * @param width numbers of a row
 * @returns of rows, and the place of the first among all images: those of each part that has some
 */
export function partRows<Part>(
  sizes: readonly (readonly [Part, number])[],
  width: number,
): (first: number, rows: Float32Array) => PartRows<Part>[] {
  let begin = 0;
  const parts = sizes.map(([part, images]) => ({ part, begin, end: begin += images }));
  return (first, rows) => {
    const last = first + rows.length / width;
    return parts.flatMap(({ part, begin, end }) => {
      const [from, to] = [Math.max(first, begin), Math.min(last, end)];
      if (from >= to) return [];
      const own = rows.subarray((from - first) * width, (to - first) * width);
      return [{ part, from: from - begin, images: to - from, rows: own }];
    });
  };
}
