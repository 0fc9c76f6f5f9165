import { IMPORTANCE_BATCH } from "../importance_batch.ts";
import { type Method, needed } from "./method.ts";

/** Selective Synaptic Dampening: what matters more for the request than for training is scaled down. */
export const ssd: Method<"ssd", "selection" | "dampening"> = {
  name: "ssd",
  title: "SSD",
  source: "Foster et al., AAAI 2024",
  needs: ["importances"],
  settings: {
    selection: { kind: "number", min: 0, max: 1e9, help: "alpha" },
    dampening: { kind: "number", min: 0, max: 1e9, help: "lambda" },
  },
  // What the authors' released code adds to App. A (tdemin16/one-shui).
  published: [
    { layout: "celebahq", upTo: 20, settings: { dampening: 0.1, selection: 50 } },
    { layout: "celebahq", upTo: Infinity, settings: { dampening: 0.5, selection: 10 } },
    { layout: "celeba", upTo: Infinity, settings: { dampening: 2, selection: 50 } },
    { layout: "mufac", upTo: 5, settings: { dampening: 0.1, selection: 50 } },
    { layout: "mufac", upTo: Infinity, settings: { dampening: 0.1, selection: 1 } },
  ],
  candidates: [
    ...[5, 10, 25, 50].map((selection) => ({ selection, dampening: 1 })),
    { selection: 50, dampening: 2 },
  ],
  async run({ theta, task, source, statistics, ...backbone }, { support, people }, settings) {
    const { dampen, importances } = await import("../compared/ssd.ts");
    const { disposeWeights } = await import("../../tensor/weights.ts");
    const training = needed(statistics?.importances, "the training images' importances");
    const own = await importances(theta, backbone, task, source, support, IMPORTANCE_BATCH, {
      people,
    });
    const after = dampen(theta, training, own, settings);
    disposeWeights(own);
    return { theta: after };
  },
};
