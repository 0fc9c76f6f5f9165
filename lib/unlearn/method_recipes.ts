import type { KitBaseline } from "../model/kit/method_settings.ts";
import type { Baseline, BaselineSettings } from "./methods.ts";

/** Published settings of one method on one data set. */
export interface MethodRecipe<Method extends Baseline> {
  readonly layout: "celeba" | "celebahq" | "mufac";
  /** Largest number of people to forget that the row is for. */
  readonly upTo: number;
  readonly settings: BaselineSettings[Method];
}

/** All rows: what the authors' released code adds to App. A (tdemin16/one-shui). */
const RECIPES: { readonly [Method in Baseline]: readonly MethodRecipe<Method>[] } = {
  ssd: [
    { layout: "celebahq", upTo: 20, settings: { dampening: 0.1, selection: 50 } },
    { layout: "celebahq", upTo: Infinity, settings: { dampening: 0.5, selection: 10 } },
    { layout: "celeba", upTo: Infinity, settings: { dampening: 2, selection: 50 } },
    { layout: "mufac", upTo: 5, settings: { dampening: 0.1, selection: 50 } },
    { layout: "mufac", upTo: Infinity, settings: { dampening: 0.1, selection: 1 } },
  ],
  pgu: [
    ...(["celeba", "celebahq"] as const).map((layout) => ({
      layout,
      upTo: Infinity,
      settings: { learningRate: 0.1, epochs: 5, gamma: 0.9 },
    })),
    { layout: "mufac", upTo: 5, settings: { learningRate: 0.01, epochs: 5, gamma: 0.9 } },
    { layout: "mufac", upTo: Infinity, settings: { learningRate: 0.1, epochs: 10, gamma: 0.75 } },
  ],
  jit: (["celeba", "celebahq", "mufac"] as const).map((layout) => ({
    layout,
    upTo: Infinity,
    settings: { learningRate: 0.01, noise: 30, draws: 25 },
  })),
  scrub: [
    { layout: "celeba", upTo: Infinity, settings: scrubSettings(5e-3, 5) },
    { layout: "celebahq", upTo: Infinity, settings: scrubSettings(1e-2, 5) },
    { layout: "mufac", upTo: 5, settings: scrubSettings(1e-3, 7) },
    { layout: "mufac", upTo: Infinity, settings: scrubSettings(1e-3, 5) },
  ],
  "bad-teacher": [
    ...(["celeba", "celebahq"] as const).map((layout) => ({
      layout,
      upTo: Infinity,
      settings: { learningRate: 1e-4, epochs: 5, batchSize: 32 },
    })),
    {
      layout: "mufac",
      upTo: Infinity,
      settings: { learningRate: 1e-3, epochs: 5, batchSize: 32 },
    },
  ],
};

/**
 * What to choose among, on simulated requests, for a model that the published settings are not for: a
 * small ViT trained from scratch is wrecked by steps that one that was fine-tuned gently survives.
 */
export const CANDIDATES: { readonly [Method in KitBaseline]: readonly BaselineSettings[Method][] } =
  {
    ssd: [
      ...[5, 10, 25, 50].map((selection) => ({ selection, dampening: 1 })),
      { selection: 50, dampening: 2 },
    ],
    pgu: [1e-1, 1e-2, 1e-3].flatMap((learningRate) =>
      [0.9, 0.75].map((gamma) => ({ learningRate, epochs: 5, gamma }))
    ),
    jit: [1e-2, 1e-3, 1e-4].flatMap((learningRate) =>
      [30, 1].map((noise) => ({ learningRate, noise, draws: 25 }))
    ),
  };

function scrubSettings(learningRate: number, forgettingEpochs: number) {
  return { learningRate, epochs: 10, forgettingEpochs, batchSize: 32 };
}

/**
 * The published settings of a method.
 *
 * @param layout data sets that the paper does not have take CelebA's
 * @param forget number of people to forget
 */
export function publishedSettings<Method extends Baseline>(
  method: Method,
  layout: string,
  forget: number,
): BaselineSettings[Method] {
  const rows = RECIPES[method] as readonly MethodRecipe<Method>[];
  const known = publishedLayout(layout);
  return rows.find((row) => row.layout === known && forget <= row.upTo)!.settings;
}

/** The data set whose published settings a layout takes: its own, or CelebA's. */
export function publishedLayout(layout: string): "celeba" | "celebahq" | "mufac" {
  return layout === "celebahq" || layout === "mufac" ? layout : "celeba";
}
