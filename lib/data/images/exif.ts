/** How the camera was held: 1 upright; 2 to 8 as EXIF tag 0x0112 numbers mirrors and turns. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const ORIENTATION_TAG = 0x0112;
const SHORT = 3;

/**
 * Reads the orientation from an EXIF block (a TIFF header and its first directory). Whatever is
 * damaged counts as upright, as in other readers: the pixels are intact all the same.
 *
 * @param tiff the block from its byte order mark (`II` or `MM`) on
 */
export function readOrientation(tiff: Uint8Array): Orientation {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (tiff.length < 14) return 1;
  const mark = view.getUint16(0);
  if (mark !== 0x4949 && mark !== 0x4d4d) return 1;
  const littleEndian = mark === 0x4949;
  if (view.getUint16(2, littleEndian) !== 42) return 1;
  const directory = view.getUint32(4, littleEndian);
  if (directory + 2 > tiff.length) return 1;
  const entries = view.getUint16(directory, littleEndian);
  for (let entry = 0; entry < entries; entry++) {
    const at = directory + 2 + 12 * entry;
    if (at + 12 > tiff.length) return 1;
    if (view.getUint16(at, littleEndian) !== ORIENTATION_TAG) continue;
    if (view.getUint16(at + 2, littleEndian) !== SHORT) return 1;
    const value = view.getUint16(at + 8, littleEndian);
    return value >= 1 && value <= 8 ? value as Orientation : 1;
  }
  return 1;
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
