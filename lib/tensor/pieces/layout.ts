/** Bytes at whose multiples a tensor may begin in a buffer that is bound from there. */
export const ALIGNMENT = 256;

/** Where a tensor lies among the pieces. */
export interface Part {
  readonly name: string;
  readonly shape: readonly number[];
  /** Which piece, and the byte of it at which the tensor begins. */
  readonly piece: number;
  readonly offset: number;
}

/** Named tensors in as few buffers as may be. */
export interface Layout {
  readonly parts: readonly Part[];
  /** Bytes of each piece, and up to where its tensors are of the first kind. */
  readonly pieces: readonly { readonly bytes: number; readonly firstKind: number }[];
}

/**
 * Lays tensors out in pieces, one behind the other at multiples of {@link ALIGNMENT}, those of the first
 * kind before the others.
 *
 * @param shapes by name, in the order in which they are to lie
 * @param most bytes of a piece; a larger tensor has a piece of its own
 * @param isFirst tells the first kind, for kernels that treat it in another way
 */
export function layOut(
  shapes: readonly (readonly [string, readonly number[]])[],
  most: number,
  isFirst: (name: string) => boolean = () => true,
): Layout {
  const parts: Part[] = [];
  const pieces: { bytes: number; firstKind: number }[] = [];
  const kinds = [
    shapes.filter(([name]) => isFirst(name)),
    shapes.filter(([name]) => !isFirst(name)),
  ];
  for (const [kind, members] of kinds.entries()) {
    for (const [name, shape] of members) {
      const size = 4 * shape.reduce((a, b) => a * b, 1);
      const bytes = Math.ceil(Math.max(size, 4) / ALIGNMENT) * ALIGNMENT;
      let piece = pieces.at(-1);
      if (!piece || piece.bytes + bytes > most) {
        piece = { bytes: 0, firstKind: 0 };
        pieces.push(piece);
      }
      parts.push({ name, shape, piece: pieces.length - 1, offset: piece.bytes });
      piece.bytes += bytes;
      if (kind === 0) piece.firstKind = piece.bytes;
    }
  }
  return { parts, pieces };
}
