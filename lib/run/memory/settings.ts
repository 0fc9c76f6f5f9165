import type { MemorySettings } from "./learn_memory.ts";

/** Folds of the training people unless told otherwise. */
export const DEFAULT_FOLDS = { folds: 5, foldSets: 1 } as const;

/** The values that the first trials started from; they were not searched (README.md of lib/unlearn). */
export const DEFAULT_MEMORY: MemorySettings = {
  momentImages: 256,
  damping: 0.1,
  power: 0.7,
  share: 1e-3,
  memorise: {
    rounds: 8,
    groupSizes: [20, 5],
    retainWeight: 2,
    valWeight: 1,
    retainImages: 64,
    lastStep: 0.1,
  },
  requestSizes: [20, 5, 1],
  mostLost: 0.015,
};
