/**
 * Collects the rows of parts that are predicted one after the other.
 *
 * @param sizes images of each part, in the order of the rows; none of a part without images is asked for
 * @param whole called with a part's rows when the last one is there
 */
export function partRows<Part>(
  sizes: readonly (readonly [Part, number])[],
  width: number,
  whole: (part: Part, logits: Float32Array) => void,
) {
  let begin = 0;
  const parts = sizes.map(([part, images]) => {
    const from = begin;
    begin += images;
    return { part, from, end: begin, left: images, rows: null as Float32Array | null };
  });
  for (const { part, left } of parts) if (left === 0) whole(part, new Float32Array());
  return {
    /** @param first place of the first of the images among all */
    add(first: number, images: number, logits: Float32Array): void {
      for (const own of parts) {
        const [from, end] = [Math.max(first, own.from), Math.min(first + images, own.end)];
        if (from >= end) continue;
        own.rows ??= new Float32Array((own.end - own.from) * width);
        const given = logits.subarray((from - first) * width, (end - first) * width);
        own.rows.set(given, (from - own.from) * width);
        own.left -= end - from;
        if (own.left > 0) continue;
        const { rows } = own;
        own.rows = null;
        whole(own.part, rows);
      }
    },
  };
}
