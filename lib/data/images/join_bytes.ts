/** Bytes of images one behind the other, filled up to whole words. */
export function joinBytes(images: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = images.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(Math.ceil(size / 4) * 4);
  images.reduce((at, image) => (bytes.set(image, at), at + image.length), 0);
  return bytes;
}
