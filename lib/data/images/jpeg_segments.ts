/** Where a marker's segment lies in the file: from its FF to its end, its content from `content`. */
export interface JpegSegment {
  readonly marker: number;
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

/** Start of a scan; compressed pixels follow. */
export const SCAN = 0xda;
/** End of the image. */
export const END = 0xd9;

/**
 * The segments of a JPEG from behind its first marker to the end of the image, in order. Compressed
 * pixels between them are stepped over, and so is what lies between a segment's end and the next
 * marker. Ends early where the file does: whoever needs the end looks for {@link END}.
 *
 * @param bytes the file, beginning with FF D8
 */
export function* jpegSegments(bytes: Uint8Array): Generator<JpegSegment> {
  let at = 2;
  while (at + 2 <= bytes.length) {
    if (bytes[at] !== 0xff) {
      at = bytes.indexOf(0xff, at);
      if (at < 0) return;
      continue;
    }
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at++; // a fill byte
    } else if (marker === END) {
      yield { marker, start: at, content: at + 2, end: at + 2 };
      return;
    } else if (marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2; // a byte of pixels that is FF, or a marker without content
    } else {
      if (at + 4 > bytes.length) return;
      const end = at + 2 + (bytes[at + 2] << 8 | bytes[at + 3]);
      if (end < at + 4 || end > bytes.length) return;
      yield { marker, start: at, content: at + 4, end };
      at = end;
    }
  }
}

/** Whether a marker begins a frame, of whatever coding. */
export function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/**
 * Whether scans carry the picture to its last bit: each component comes, and what a progressive scan
 * begins another ends. A file that was cut between two scans and closed again decodes without a
 * complaint; only this tells.
 *
 * @param bytes the file
 * @param segments all of it
 */
export function isComplete(bytes: Uint8Array, segments: readonly JpegSegment[]): boolean {
  const frame = segments.find(({ marker }) => isFrame(marker));
  if (!frame || segments.at(-1)!.marker !== END) return false;
  const count = bytes[frame.content + 5];
  const progressive = frame.marker === 0xc2;
  // Lowest bit that has come, per component and frequency; undefined: nothing has.
  const lowest = new Map<number, (number | undefined)[]>();
  for (let i = 0; i < count; i++) lowest.set(bytes[frame.content + 6 + 3 * i], []);
  for (const { marker, content, end } of segments) {
    if (marker !== SCAN) continue;
    const inScan = bytes[content];
    if (content + 4 + 2 * inScan > end) return false;
    const [first, last, approximation] = bytes.subarray(content + 1 + 2 * inScan, end);
    for (let i = 0; i < inScan; i++) {
      const bits = lowest.get(bytes[content + 1 + 2 * i]);
      if (!bits) return false;
      for (let k = progressive ? first : 0; k <= (progressive ? Math.min(last, 63) : 0); k++) {
        bits[k] = progressive ? approximation & 15 : 0;
      }
    }
  }
  return [...lowest.values()].every((bits) =>
    bits[0] !== undefined && bits.every((bit) => bit === undefined || bit === 0)
  );
}
