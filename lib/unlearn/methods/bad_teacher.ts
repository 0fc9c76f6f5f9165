import type { Method } from "./method.ts";

const COUNT = { kind: "integer", min: 1, max: 1_000_000 } as const;

/** Bad Teacher: the student follows a random model on the images to forget, the original elsewhere. */
export const badTeacher: Method<"bad-teacher", "learningRate" | "epochs" | "batchSize"> = {
  name: "bad-teacher",
  title: "Bad Teacher",
  source: "Chundawat et al., AAAI 2023",
  needs: ["training images"],
  settings: {
    learningRate: { kind: "number", min: 0, max: 1e6, help: "cosine over the epochs" },
    epochs: { ...COUNT, help: "over all images" },
    batchSize: { ...COUNT, help: "images per step" },
  },
  // What the authors' released code adds to App. A (tdemin16/one-shui).
  published: [
    ...(["celeba", "celebahq"] as const).map((layout) => ({
      layout,
      upTo: Infinity,
      settings: { learningRate: 1e-4, epochs: 5, batchSize: 32 },
    })),
    { layout: "mufac", upTo: Infinity, settings: { learningRate: 1e-3, epochs: 5, batchSize: 32 } },
  ],
  candidates: [],
  images: ({ epochs }, { forget, retain }) => epochs * (forget.length + retain.length),
  async run({ theta, random, ...context }, { forget, retain }, settings) {
    const [{ badTeacher }, { initialVit }, { disposeWeights }] = await Promise.all([
      import("../compared/bad_teacher.ts"),
      import("../../model/initial_vit.ts"),
      import("../../tensor/weights.ts"),
    ]);
    const labels = theta["head.bias"].size;
    const incompetent = initialVit(context.shape, labels, random.fork("incompetent teacher"));
    const data = { competent: theta, incompetent, ...context };
    const after = await badTeacher(data, forget, retain, settings, random);
    disposeWeights(incompetent);
    return { theta: after };
  },
};
