import type { Method } from "./method.ts";

const COUNT = { kind: "integer", min: 1, max: 1_000_000 } as const;

/** SCRUB: a student driven from the original on the images to forget, held to it on the others. */
export const scrub: Method<
  "scrub",
  "learningRate" | "epochs" | "forgettingEpochs" | "batchSize"
> = {
  name: "scrub",
  title: "SCRUB",
  source: "Kurmanji et al., NeurIPS 2023",
  needs: ["training images"],
  settings: {
    learningRate: { kind: "number", min: 0, max: 1e6, help: "cosine over the epochs" },
    epochs: { ...COUNT, help: "over the images to retain" },
    forgettingEpochs: { ...COUNT, min: 0, help: "the first of them, which forget too" },
    batchSize: { ...COUNT, help: "images per step" },
  },
  // What the authors' released code adds to App. A (tdemin16/one-shui).
  published: [
    published("celeba", Infinity, 5e-3, 5),
    published("celebahq", Infinity, 1e-2, 5),
    published("mufac", 5, 1e-3, 7),
    published("mufac", Infinity, 1e-3, 5),
  ],
  candidates: [],
  images: ({ epochs, forgettingEpochs }, { forget, retain }) =>
    Math.min(forgettingEpochs, epochs) * forget.length + epochs * retain.length,
  async run({ theta, random, ...context }, { forget, retain }, settings) {
    const { scrub } = await import("../compared/scrub.ts");
    return {
      theta: await scrub({ teacher: theta, ...context }, forget, retain, settings, random),
    };
  },
};

function published(
  layout: "celeba" | "celebahq" | "mufac",
  upTo: number,
  learningRate: number,
  forgettingEpochs: number,
) {
  return { layout, upTo, settings: { learningRate, epochs: 10, forgettingEpochs, batchSize: 32 } };
}
