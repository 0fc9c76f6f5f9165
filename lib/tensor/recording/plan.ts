import type { Place } from "./place.ts";

/** A buffer, and the places that share it because their lives do not overlap. */
export interface Shared {
  readonly bytes: number;
  readonly places: readonly Place[];
}

/**
 * Which places share memory: the largest first, each into the smallest buffer that is free throughout
 * its life. Whole buffers alone are shared: WebGPU refuses one that is read and written in a program,
 * even at places apart.
 *
 * @param places with their lives, none part of another
 */
export function planMemory(places: readonly Place[]): Shared[] {
  const shared: { bytes: number; places: Place[] }[] = [];
  for (const place of places.toSorted((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    const free = place.alone
      ? undefined
      : shared.findLast(({ places }) =>
        places.every(({ first, last, alone }) =>
          !alone && (last < place.first || place.last < first)
        )
      );
    if (free) free.places.push(place);
    else shared.push({ bytes: place.bytes, places: [place] });
  }
  return shared;
}
