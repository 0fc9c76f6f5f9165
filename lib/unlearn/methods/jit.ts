import type { Method } from "./method.ts";

/** Just in Time unlearning: one step that makes the model smooth around the support images. */
export const jit: Method<"jit", "learningRate" | "noise" | "draws"> = {
  name: "jit",
  title: "JiT",
  source:
    'Foster et al. 2024, "Zero-shot Machine Unlearning at Scale via Lipschitz Regularization"',
  needs: [],
  settings: {
    learningRate: { kind: "number", min: 0, max: 1e6, help: "of the step" },
    noise: { kind: "number", min: 1e-9, max: 1e9, help: "deviation of the noise" },
    draws: { kind: "integer", min: 1, max: 10_000, help: "noisy copies per image" },
  },
  // What the authors' released code adds to App. A (tdemin16/one-shui).
  published: (["celeba", "celebahq", "mufac"] as const).map((layout) => ({
    layout,
    upTo: Infinity,
    settings: { learningRate: 0.01, noise: 30, draws: 25 },
  })),
  candidates: [1e-2, 1e-3, 1e-4].flatMap((learningRate) =>
    [30, 1].map((noise) => ({ learningRate, noise, draws: 25 }))
  ),
  async run({ theta, source, random, jit, ...backbone }, { support, people }, settings) {
    const [{ gaussianNoises, justInTime }, tf] = await Promise.all([
      import("../compared/jit.ts"),
      import("@tensorflow/tfjs"),
    ]);
    const { patches, targets } = await source.batch(support);
    const noises = gaussianNoises(patches, settings, random);
    const result = jit
      ? await jit.take(patches, noises, people)
      : await justInTime(theta, backbone, patches, noises, settings.learningRate, people);
    tf.dispose([patches, targets]);
    return { theta: result.theta };
  },
};
