/** How the camera was held: 1 upright; 2 to 8 as EXIF tag 0x0112 numbers mirrors and turns. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const ORIENTATION_TAG = 0x0112;
/** TIFF's whole numbers of one, two and four bytes. The standard asks for two; programs write others. */
const BYTES: Readonly<Record<number, 1 | 2 | 4>> = { 1: 1, 3: 2, 4: 4, 6: 1, 8: 2, 9: 4 };

/**
 * Reads the orientation from an EXIF block (a TIFF header and its first directory). Whatever is
 * damaged counts as saying nothing, as in other readers: the pixels are intact all the same.
 *
 * @param block from its byte order mark (`II` or `MM`) on, or from `Exif` before it
 * @returns null when it says nothing, or nothing that exists
 */
export function readOrientation(block: Uint8Array): Orientation | null {
  const tiff = String.fromCharCode(...block.subarray(0, 4)) === "Exif" ? block.subarray(6) : block;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (tiff.length < 14) return null;
  const mark = view.getUint16(0);
  if (mark !== 0x4949 && mark !== 0x4d4d) return null;
  const littleEndian = mark === 0x4949;
  if (view.getUint16(2, littleEndian) !== 42) return null;
  const directory = view.getUint32(4, littleEndian);
  if (directory + 2 > tiff.length) return null;
  const entries = view.getUint16(directory, littleEndian);
  for (let entry = 0; entry < entries; entry++) {
    const at = directory + 2 + 12 * entry;
    if (at + 12 > tiff.length) return null;
    if (view.getUint16(at, littleEndian) !== ORIENTATION_TAG) continue;
    const bytes = BYTES[view.getUint16(at + 2, littleEndian)];
    const value = bytes === 1
      ? view.getUint8(at + 8)
      : bytes === 2
      ? view.getUint16(at + 8, littleEndian)
      : bytes === 4
      ? view.getUint32(at + 8, littleEndian)
      : 0;
    return value >= 1 && value <= 8 ? value as Orientation : null;
  }
  return null;
}

/**
 * Turns an image upright.
 *
 * @param image pixels as stored, [height, width, 3]
 * @param orientation as stored beside them
 * @returns the upright image; 5 to 8 swap width and height; 1 returns `image` itself
 */
export function upright(
  image: { width: number; height: number; rgb: Uint8Array },
  orientation: Orientation,
): { width: number; height: number; rgb: Uint8Array } {
  if (orientation === 1) return image;
  const { width, height, rgb } = image;
  const swapped = orientation >= 5;
  // Where the stored first row and column lie in the upright image: EXIF 2.32, tag Orientation.
  const columnsBackwards = [2, 3, 7, 8].includes(orientation);
  const rowsBackwards = [3, 4, 6, 7].includes(orientation);
  const result = {
    width: swapped ? height : width,
    height: swapped ? width : height,
    rgb: new Uint8Array(rgb.length),
  };
  let to = 0;
  for (let y = 0; y < result.height; y++) {
    for (let x = 0; x < result.width; x++) {
      let column = swapped ? y : x;
      let row = swapped ? x : y;
      if (columnsBackwards) column = width - 1 - column;
      if (rowsBackwards) row = height - 1 - row;
      const from = 3 * (row * width + column);
      result.rgb[to++] = rgb[from];
      result.rgb[to++] = rgb[from + 1];
      result.rgb[to++] = rgb[from + 2];
    }
  }
  return result;
}
