import { type Method, needed } from "./method.ts";

/** What leaving the photographs out would have changed, to first order and with a diagonal Hessian. */
export const influence: Method<"influence", "learningRate" | "damping"> = {
  name: "influence",
  title: "Influence",
  source: "Koh and Liang, ICML 2017, with a damped diagonal Fisher in the Hessian's place",
  needs: ["importances"],
  settings: {
    learningRate: { kind: "number", min: 0, max: 1e6, help: "of the step" },
    damping: { kind: "number", min: 0, max: 1e6, help: "lambda, as a share of the mean of F" },
  },
  // Nobody published any for these data sets. Koh and Liang's step is one over the training set's size: a
  // photograph stands for its person here, so one over some ten thousand people; their damping is 0.01.
  published: (["celeba", "celebahq", "mufac"] as const).map((layout) => ({
    layout,
    upTo: Infinity,
    settings: { learningRate: 1e-4, damping: 0.01 },
  })),
  candidates: [1e-7, 1e-6, 1e-5, 1e-4].flatMap((learningRate) =>
    [0.01, 1].map((damping) => ({ learningRate, damping }))
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
