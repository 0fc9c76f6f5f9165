import type { Orientation } from "./exif.ts";

const START = "http://ns.adobe.com/xap/1.0/\0";
/** `tiff:Orientation` as an attribute or an element. */
const ORIENTATION = /tiff:Orientation(?:\s*=\s*["']|>)\s*([1-8])\b/;

/**
 * The orientation in an XMP packet, which some programs write in place of EXIF.
 *
 * @param segment an APP1 segment's content
 * @returns null when it is no XMP or says nothing of it
 */
export function xmpOrientation(segment: Uint8Array): Orientation | null {
  const text = new TextDecoder("latin1").decode(segment);
  const found = text.startsWith(START) ? ORIENTATION.exec(text) : null;
  return found ? Number(found[1]) as Orientation : null;
}
