/**
 * Frees memory that nobody will look at again, now: the collector, which sees small objects, would let
 * many of them lie. What is a part of something larger, or shared, is left to it.
 */
export function freeBytes({ buffer, byteLength }: ArrayBufferView): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
