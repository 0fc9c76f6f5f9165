import type { Sample } from "../../lib/data/sample.ts";

/** Samples as plain objects: they may be packed, and say what they are when they are asked. */
export function listedSamples(samples: readonly Sample[]) {
  return samples.map(({ file, identity, targets }) => ({ file, identity, targets }));
}

/** What holds them, with the samples plain. */
export function listed<T extends { readonly samples: readonly Sample[] }>(content: T) {
  return { ...content, samples: listedSamples(content.samples) };
}
