import type { Samples } from "../../lib/data/sample.ts";

/** Samples as plain objects: they may be packed, and say what they are when they are asked. */
export function listedSamples(samples: Samples) {
  return samples.map(({ file, identity, targets }) => ({ file, identity, targets }));
}

/** What holds them, with the samples plain. */
export function listed<T extends { readonly samples: Samples }>(content: T) {
  return { ...content, samples: listedSamples(content.samples) };
}
