/** Where a tensor of a recorded step lies: unknown while the step is recorded, then part of a buffer. */
export interface Place {
  /** A multiple of four. */
  readonly bytes: number;
  /** The programs, by number, between which it holds something; others may use its memory elsewhere. */
  first: number;
  last: number;
  /** Its memory is not shared: what no program writes stays zero. */
  alone?: boolean;
  /** The larger place that this one is a part of, from this byte on. */
  within?: { readonly place: Place; readonly offset: number };
  at?: { readonly buffer: GPUBuffer; readonly offset: number };
}

/** A place of its own that nothing touches yet. */
export function newPlace(bytes: number): Place {
  return { bytes, first: Infinity, last: -1 };
}

/** Notes that a program touches a place, and what the place is a part of. */
export function touch(place: Place, program: number): void {
  place.first = Math.min(place.first, program);
  place.last = Math.max(place.last, program);
  if (place.within) touch(place.within.place, program);
}

/** The part of a buffer that a place has been given. */
export function bindingOf(place: Place): GPUBufferBinding {
  const { at, within, bytes } = place;
  if (at) return { ...at, size: bytes };
  if (!within) throw new TypeError("a place without memory");
  const outer = bindingOf(within.place);
  return { buffer: outer.buffer, offset: outer.offset! + within.offset, size: bytes };
}
