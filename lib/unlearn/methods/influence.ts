import { type Method, needed } from "./method.ts";

/** What leaving the photographs out would have changed, to first order and with a diagonal Hessian. */
export const influence: Method<"influence", "learningRate" | "damping"> = {
  name: "influence",
  title: "Influence",
  source: "Koh and Liang, ICML 2017, with a damped diagonal Fisher in the Hessian's place",
  needs: ["importances"],
  settings: {
    learningRate: { kind: "number", min: 0, max: 1e6, help: "of the step" },
    damping: { kind: "number", min: 0, max: 1e6, help: "lambda, in units of the mean of F" },
  },
  // Nobody published any for these data sets: within the candidates, which begin where next to nothing moves.
  published: (["celeba", "celebahq", "mufac"] as const).map((layout) => ({
    layout,
    upTo: Infinity,
    settings: { learningRate: 1e-2, damping: 1 },
  })),
  candidates: [1e-3, 1e-2, 1e-1, 1].flatMap((learningRate) =>
    [0.1, 10].map((damping) => ({ learningRate, damping }))
  ),
  async run({ theta, task, source, statistics, ...backbone }, { support }, settings) {
    const { influenceStep, summedGradient } = await import("../compared/influence.ts");
    const { disposeWeights } = await import("../../tensor/weights.ts");
    const fisher = needed(statistics?.importances, "the training images' importances");
    const gradient = await summedGradient(theta, backbone, task, source, support);
    const after = influenceStep(theta, fisher, gradient, settings);
    disposeWeights(gradient);
    return { theta: after };
  },
};
