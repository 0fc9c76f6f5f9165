import { type Method, needed } from "./method.ts";

const COUNT = { kind: "integer", min: 1, max: 1_000_000 } as const;

/** Fine-tuning to what models say that never saw the people, with the people's own photographs. */
export const referenceTuning: Method<
  "reference-tuning",
  "learningRate" | "epochs" | "batchSize" | "retainWeight"
> = {
  name: "reference-tuning",
  title: "Reference tuning",
  source: "this project: what a kit's memory approximates, with the training images at hand",
  needs: ["training images", "references"],
  settings: {
    learningRate: { kind: "number", min: 0, max: 1e6, help: "cosine over the epochs" },
    epochs: { ...COUNT, help: "over the images to forget" },
    batchSize: { ...COUNT, help: "images to forget per step, and as many to retain" },
    retainWeight: { kind: "number", min: 0, max: 1e6, help: "of what is retained" },
  },
  // This project's own; the candidates are around them.
  published: (["celeba", "celebahq", "mufac"] as const).map((layout) => ({
    layout,
    upTo: Infinity,
    settings: { learningRate: 0.3, epochs: 5, batchSize: 32, retainWeight: 1 },
  })),
  candidates: [0.1, 0.3, 1].flatMap((learningRate) =>
    [0.5, 2].map((retainWeight) => ({ learningRate, epochs: 5, batchSize: 32, retainWeight }))
  ),
  images: ({ epochs }, { forget }) => 2 * epochs * forget.length,
  async run({ theta, references, random, ...context }, { forget, retain }, settings) {
    const { referenceTuning } = await import("../compared/reference_tuning.ts");
    const reference = needed(references, "the fold models' answers");
    return {
      theta: await referenceTuning(
        { theta, reference, ...context },
        forget,
        retain,
        settings,
        random,
      ),
    };
  },
};
