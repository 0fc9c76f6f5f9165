import { type Method, needed } from "./method.ts";

/** Projected Gradient Unlearning: steps in directions that the retained images' inputs do not span. */
export const pgu: Method<"pgu", "learningRate" | "epochs" | "gamma"> = {
  name: "pgu",
  title: "PGU",
  source: "Hoang et al., WACV 2024",
  needs: ["covariances"],
  settings: {
    learningRate: { kind: "number", min: 0, max: 1e6, help: "of the steps" },
    epochs: { kind: "integer", min: 1, max: 10_000, help: "steps" },
    gamma: {
      kind: "number",
      min: 0,
      max: 1,
      help: "share of the retained directions that is kept",
    },
  },
  // What the authors' released code adds to App. A (tdemin16/one-shui).
  published: [
    ...(["celeba", "celebahq"] as const).map((layout) => ({
      layout,
      upTo: Infinity,
      settings: { learningRate: 0.1, epochs: 5, gamma: 0.9 },
    })),
    { layout: "mufac", upTo: 5, settings: { learningRate: 0.01, epochs: 5, gamma: 0.9 } },
    { layout: "mufac", upTo: Infinity, settings: { learningRate: 0.1, epochs: 10, gamma: 0.75 } },
  ],
  candidates: [1e-1, 1e-2, 1e-3].flatMap((learningRate) =>
    [0.9, 0.75].map((gamma) => ({ learningRate, epochs: 5, gamma }))
  ),
  async run(
    { theta, task, source, statistics, projectors, ...backbone },
    { support, people },
    settings,
  ) {
    const { projectedGradient } = await import("../compared/pgu.ts");
    const training = needed(statistics?.covariances, "the training images' input covariances");
    const { theta: after } = await projectedGradient(
      theta,
      backbone,
      task,
      source,
      support,
      training,
      settings,
      people,
      projectors,
    );
    return { theta: after };
  },
};
