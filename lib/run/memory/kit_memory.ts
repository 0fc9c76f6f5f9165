import { range } from "../../data/loader/image_source.ts";
import { identityHash, type IdentityKey } from "../../model/kit/identity_key.ts";
import type { SealedMemory } from "../../model/kit/kit.ts";
import type { IndexedRow, PhotographMatch } from "../../model/kit/memory_index.ts";
import { encodeRow } from "../../model/kit/memory_row.ts";
import { sealRow } from "../../model/kit/sealed_row.ts";
import { sha256Hex } from "../../files/sha256.ts";
import type { Folds } from "./folds_file.ts";
import { type LearnedMemory, requestScales } from "./scale_rows.ts";

/** What a kit is to remember. */
export interface KitMemory {
  readonly learned: LearnedMemory;
  readonly folds: Folds;
  readonly match: PhotographMatch | null;
}

/** Sealed rows that take less than this together are sealed once. */
const MOST_IN_MEMORY = 2 ** 28;

/**
 * Seals everybody's row, each under a key of its own.
 *
 * @param identities people by the rows of `learned`
 */
export async function sealMemory(
  { learned, folds, match }: KitMemory,
  identities: readonly string[],
  key: IdentityKey,
): Promise<SealedMemory> {
  const sealed = async (i: number) => sealRow(key, encodeRow(await learned.rows.read(i)));
  const all = range(learned.rows.count);
  const people: IndexedRow[] = [];
  const kept: Uint8Array<ArrayBuffer>[] = [];
  for (const i of all) {
    const { bytes, salt } = await sealed(i);
    // All are of one size.
    if (bytes.length * all.length <= MOST_IN_MEMORY) kept.push(bytes);
    people.push({ person: identityHash(key, identities[i]), sha256: sha256Hex(bytes), salt });
  }
  // Others once more when they are written: everybody's together may not fit the memory.
  async function* rows() {
    for (const i of all) {
      yield [identityHash(key, identities[i]), kept[i] ?? (await sealed(i)).bytes] as const;
    }
  }
  const { scale, tugOfWar } = learned.scales.at(-1)!.scale;
  return {
    rows: rows(),
    index: {
      version: 1,
      rank: learned.rank,
      ...(learned.layers === "all" ? {} : { layers: learned.layers }),
      stale: false,
      match,
      folds: { count: folds.count, sets: folds.sets.length },
      heldOut: { scale, tugOfWar: Math.max(0, tugOfWar) },
      requests: requestScales(learned.scales),
      people: people.sort((a, b) => a.person < b.person ? -1 : 1),
    },
  };
}
