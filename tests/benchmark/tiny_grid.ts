import type { GridSettings } from "../../lib/benchmark/settings.ts";

/** A grid of a few seconds on WASM: two splits of the same drawn people, two methods, a stream of requests. */
export const TINY_GRID: GridSettings = {
  version: 1,
  name: "tiny",
  seeds: [0, 1],
  data: [{
    name: "portraits",
    layout: "portraits",
    portraits: { identities: 16, imagesPerIdentity: 4, side: 16 },
    forget: [2],
    preset: "vit_demo_patch8_32",
    recipe: "portraits",
    training: { epochs: 2 },
    metaLearning: { hidden: 16, embeddingSize: 8, epochs: 2 },
    requestSizeForOne: 4,
  }],
  methods: [
    { name: "MetaUnlearn", method: "metaunlearn" },
    {
      name: "SSD",
      method: "ssd",
      candidates: [{ selection: 2, dampening: 1 }, { selection: 1e6 }],
    },
  ],
  measure: { rmia: { a: 0.3, gamma: 1 }, draws: 50 },
  sequence: { requests: 2 },
};
