import type { MemoriseRecipe } from "../../unlearn/memory/memory_context.ts";
import type { MemorySettings } from "./memory_inputs.ts";

/** Folds of the training people unless told otherwise. */
export const DEFAULT_FOLDS = { folds: 5, foldSets: 1 } as const;

/**
 * Many small steps with momentum, at which others are held by so many images that the steps are stable:
 * ten times the work, and more forgotten for each point that others lose (README.md of lib/unlearn/memory).
 */
const SELECTIVE = {
  rounds: 40,
  groupSizes: [20, 5],
  retainWeight: 10,
  valWeight: 5,
  retainImages: 256,
  lastStep: 0.5,
  momentum: 0.9,
  stableShare: 0.5,
} as const satisfies MemoriseRecipe;

/** How rows are made of simulated requests, by name. */
export const ROW_RECIPES = {
  /** Minutes on two cores. */
  quick: {
    rounds: 8,
    groupSizes: [20, 5],
    retainWeight: 2,
    valWeight: 1,
    retainImages: 64,
    lastStep: 0.1,
  },
  selective: SELECTIVE,
  /** Others are held a little to their labels too, which pays back a part of what they lose. */
  labelled: { ...SELECTIVE, labelShare: 0.1 },
} as const satisfies Readonly<Record<string, MemoriseRecipe>>;

/** One of {@link ROW_RECIPES}. */
export type RowRecipe = keyof typeof ROW_RECIPES;

/** The values that the first trials started from; they were not searched (README.md of lib/unlearn/memory). */
export const DEFAULT_MEMORY: MemorySettings = {
  momentImages: 256,
  damping: 0.1,
  power: 0.7,
  share: 1e-3,
  memorise: ROW_RECIPES.quick,
  requestSizes: [20, 5, 1],
  // The trials' real requests cost others about 0.6 times what simulated ones of as many people did.
  mostLost: 0.02,
};
