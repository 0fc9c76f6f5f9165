import type { Augmentation } from "../data/images/random_crop.ts";

/** How f_theta is trained. */
export interface TrainingRecipe {
  /** As people call it. */
  readonly name: string;
  /** Where the numbers come from. */
  readonly source: string;
  /** What steps. */
  readonly optimiser: "sgd" | "adamw";
  /** At the first step after warm-up. */
  readonly learningRate: number;
  /** Decoupled for AdamW, L2 for SGD. */
  readonly weightDecay: number;
  /** Of SGD; AdamW keeps its own constants. */
  readonly momentum: number;
  /** Passes over the images. */
  readonly epochs: number;
  /** Epochs in which the learning rate rises linearly. */
  readonly warmUpEpochs: number;
  /** Images a step. */
  readonly batchSize: number;
  /** Which epoch's weights are kept: the best by validation (the paper), or the last. */
  readonly select: "best" | "last";
  /** How training images are varied. */
  readonly augmentation: Augmentation;
  /** Side of the stored training images as a multiple of the input side: cuts are taken from them. */
  readonly storedScale: number;
}

/** torchvision's defaults for RandomResizedCrop, with a flip. */
const RESIZED_CROP: Augmentation = {
  crop: { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] },
  flip: true,
};

const PAPER = {
  source: "App. A; batch size from the released code",
  optimiser: "sgd",
  learningRate: 1e-3,
  momentum: 0.9,
  epochs: 30,
  warmUpEpochs: 2,
  batchSize: 32,
  select: "best",
  augmentation: RESIZED_CROP,
  storedScale: 2,
} as const;

/** From scratch there is little to keep, so small models need AdamW, larger rates and milder cuts. */
const FROM_SCRATCH = {
  optimiser: "adamw",
  learningRate: 1e-3,
  weightDecay: 0.05,
  momentum: 0.9,
  warmUpEpochs: 2,
  batchSize: 32,
} as const;

/** Every recipe, each row with its source. */
export const TRAINING_RECIPES: readonly TrainingRecipe[] = [
  { name: "celebahq", ...PAPER, weightDecay: 1e-3 },
  { name: "celeba", ...PAPER, weightDecay: 1e-4 },
  { name: "mufac", ...PAPER, weightDecay: 1e-4 },
  {
    name: "photos-from-scratch",
    source: "this project: small ViTs on the photographs of CelebA, chosen on validation people",
    ...FROM_SCRATCH,
    epochs: 30,
    select: "best",
    augmentation: { crop: { scale: [0.5, 1], ratio: [3 / 4, 4 / 3] }, flip: true },
    storedScale: 1.5,
  },
  {
    name: "few-images-from-scratch",
    source:
      "this project: few or small images, from which cuts take too much; on portraits of 32 " +
      "pixels validation mAP is 58 in place of 56",
    ...FROM_SCRATCH,
    epochs: 30,
    select: "best",
    augmentation: { crop: null, flip: true },
    storedScale: 1,
  },
  {
    name: "portraits",
    source: "this project: drawn portraits; the last epoch, since memorised people are the point",
    ...FROM_SCRATCH,
    epochs: 40,
    select: "last",
    augmentation: { crop: null, flip: true },
    storedScale: 1,
  },
];
