/**
 * Bytes of a message in protobuf's wire format, in pieces: weights are not copied until they are
 * written.
 */
export type Pieces = readonly Uint8Array[];

/** Field of a message: a whole number (int64 or enum). */
export function integerField(field: number, value: number): Pieces {
  return [varint(field << 3), varint(value)];
}

/** Field of a message: float32. */
export function floatField(field: number, value: number): Pieces {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return [varint(field << 3 | 5), bytes];
}

/** Field of a message: text, bytes or a message of its own. */
export function bytesField(field: number, content: string | Uint8Array | Pieces): Pieces {
  const pieces = typeof content === "string"
    ? [new TextEncoder().encode(content)]
    : content instanceof Uint8Array
    ? [content]
    : content;
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return [varint(field << 3 | 2), varint(length), ...pieces];
}

/** Pieces as one array. */
export function joined(pieces: Pieces): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Seven bits per byte, the lowest first; negative numbers as 64-bit two's complement. */
function varint(value: number): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 128);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}
