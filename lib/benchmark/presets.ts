import { DEFAULT_MEASURE } from "./parse_settings.ts";
import type { GridSettings } from "./settings.ts";

/** Names of {@link GRID_PRESETS}. */
export type GridPresetName = keyof typeof GRID_PRESETS;

/** Grids by name. */
export const GRID_PRESETS = {
  /** Minutes on two cores: every method on the drawn portraits. */
  small: {
    version: 1,
    name: "small",
    note: "small leaves out: one person to forget, ablations, real photographs, more than 2 seeds",
    seeds: [0, 1],
    data: [{
      name: "portraits",
      layout: "portraits",
      portraits: { identities: 100, imagesPerIdentity: 6, side: 32 },
      forget: [6],
      preset: "vit_demo_patch8_32",
      recipe: "portraits",
      training: { epochs: 24, batchSize: 64, learningRate: 1.5e-3 },
      metaLearning: {},
      requestSizeForOne: 10,
    }],
    methods: [{ name: "MetaUnlearn", method: "metaunlearn" }],
    measure: DEFAULT_MEASURE,
  },
  /** 199 people of CelebA, within the hour on two cores. */
  "celeba-small": {
    version: 1,
    name: "celeba-small",
    seeds: [0, 1, 2],
    data: [{
      name: "CelebA (199 people, 32 px)",
      layout: "celeba",
      forget: [20, 5],
      preset: "vit_demo_patch8_32",
      recipe: "portraits",
      training: { epochs: 16 },
      metaLearning: {},
      requestSizeForOne: 10,
    }],
    methods: [{ name: "MetaUnlearn", method: "metaunlearn" }],
    measure: DEFAULT_MEASURE,
  },
} as const satisfies Readonly<Record<string, GridSettings>>;
