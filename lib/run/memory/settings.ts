import type { MemoriseRecipe } from "../../unlearn/memory/memory_context.ts";
import type { MemorySettings } from "./learn_memory.ts";

/** Folds of the training people unless told otherwise. */
export const DEFAULT_FOLDS = { folds: 5, foldSets: 1 } as const;

/** Few rounds with few images of others: minutes on two cores, and less selective rows. */
export const QUICK_ROUNDS: MemoriseRecipe = {
  rounds: 8,
  groupSizes: [20, 5],
  retainWeight: 2,
  valWeight: 1,
  retainImages: 64,
  lastStep: 0.1,
};

/**
 * Chosen on four splits of celeba-small in PyTorch by simulated requests alone (README.md of lib/unlearn):
 * many small steps with momentum, at which others are held by enough images that the steps are stable.
 */
export const DEFAULT_MEMORY: MemorySettings = {
  momentImages: 256,
  damping: 0.1,
  power: 0.7,
  share: 1e-3,
  memorise: {
    rounds: 40,
    groupSizes: [20, 5],
    retainWeight: 10,
    valWeight: 5,
    retainImages: 256,
    lastStep: 0.5,
    momentum: 0.9,
    stableShare: 0.5,
  },
  requestSizes: [20, 5, 1],
  // The trials' real requests cost others about 0.6 times what simulated ones of as many people did.
  mostLost: 0.02,
};
