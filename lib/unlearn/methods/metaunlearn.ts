import { type Method, needed } from "./method.ts";

/** MetaUnlearn, Algorithm 1: a step down a loss that was meta-learned while the data were there. */
export const metaunlearn: Method<"metaunlearn", never> = {
  name: "metaunlearn",
  title: "MetaUnlearn",
  source: "De Min et al., TMLR 03/2025, Alg. 1",
  needs: ["meta-loss"],
  // None: eta, phi and step sizes are the kit's.
  settings: {},
  published: [],
  candidates: [],
  async run({ theta, shape, microBatch, source, kit }) {
    const [{ uploadWeights }, { disposeWeights }, { unlearn }] = await Promise.all([
      import("../../model/device_weights.ts"),
      import("../../tensor/weights.ts"),
      import("../unlearn.ts"),
    ]);
    const { stored, rows } = needed(kit, "a kit");
    const phi = uploadWeights(stored.phi);
    const logStepSizes = stored.logStepSizes && uploadWeights(stored.logStepSizes);
    const { metaLearningRate, inputs, requestSize } = stored.manifest.unlearning;
    const result = await unlearn(
      theta,
      logStepSizes ? { phi, logStepSizes } : { phi },
      { metaLearningRate, inputs, shape, microBatch },
      source,
      rows,
      requestSize,
    );
    for (const weights of [phi, logStepSizes]) disposeWeights(weights);
    return result;
  },
};
