import type { Split } from "../../data/split.ts";
import type { IdentityKey } from "../../model/kit/identity_key.ts";
import { trainingImageHash } from "../../model/kit/training_images.ts";
import type { LayerOutcome } from "./layer.ts";

/** What requests are held against; each part where it is at hand. */
export interface KnownImages {
  /** The split's own hashes; its support images are there to be handed in. */
  readonly split?: Split;
  /** The kit's keyed hashes and the key. */
  readonly kit?: {
    readonly key: IdentityKey;
    readonly trainingImages: { readonly size: number; has(hash: string): boolean };
  };
}

/**
 * The layer `copies`: no request is a file that the model was learned from. It recognises exact bytes
 * only: a photograph that was encoded, cut or scaled anew passes.
 *
 * @param requests SHA-256 of each photograph
 */
export function copiesLayer(requests: readonly string[], known: KnownImages): LayerOutcome {
  const layer = "copies";
  const sources: { name: string; size: number; has(sha256: string): boolean }[] = [];
  if (known.split) {
    const { hashes, support } = known.split;
    const asked = new Set(Object.values(support));
    const files = Object.entries(hashes).filter(([file]) => !asked.has(file));
    const learned = new Set(files.map(([, sha256]) => sha256));
    sources.push({ name: "the split", size: files.length, has: (sha256) => learned.has(sha256) });
  }
  if (known.kit) {
    const { key, trainingImages } = known.kit;
    sources.push({
      name: "the kit",
      size: trainingImages.size,
      has: (sha256) => trainingImages.has(trainingImageHash(key, sha256)),
    });
  }
  // Of an empty list nothing is a copy, and nothing was held against anything.
  const against = sources.filter(({ size }) => size > 0);
  if (against.length === 0) {
    const detail = sources.length > 0
      ? `${sources.map(({ name }) => name).join(" and ")} list no image to hold requests against`
      : "neither a split nor keyed hashes in the kit to hold requests against";
    return { layer, state: "absent", detail };
  }
  for (const { name, has } of against) {
    const copies = requests.filter(has);
    if (copies.length === 0) continue;
    const which = copies.map((sha256) => `${sha256.slice(0, 16)}..`).join(", ");
    const detail = `${copies.length} of ${requests.length} requests are photographs of the data ` +
      `set, as ${name} knows them: ${which}`;
    return { layer, state: "failed", detail };
  }
  const images = against.map(({ name, size }) => `${size} images of ${name}`).join(" and ");
  const detail = `none of ${requests.length} requests is one of ${images}, byte for byte`;
  return { layer, state: "held", detail };
}
