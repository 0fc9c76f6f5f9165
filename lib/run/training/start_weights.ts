import * as tf from "@tensorflow/tfjs";
import type { ModelConfig, PresetName } from "../../model/config.ts";
import { initialVit } from "../../model/initial_vit.ts";
import { inferShape } from "../../model/pretrained/infer_shape.ts";
import { pretrainedTheta } from "../../model/pretrained/pretrained_theta.ts";
import type { Pretrained } from "../../model/pretrained/read_pretrained.ts";
import { Random } from "../../random.ts";
import type { Weights } from "../../tensor/weights.ts";
import type { SplitData } from "../split_data.ts";
import { dataSize, presetFor, presetOfWeights } from "./default_preset.ts";

/** The size of the weights to start from, or one that fits the data; and says which. */
export async function choosePreset(
  data: SplitData,
  start: Pretrained | null,
  withoutForget: boolean,
  onNotice?: (line: string) => void,
): Promise<PresetName> {
  const known = start && presetOfWeights(start.weights);
  if (known) {
    onNotice?.(`--preset ${known}: the size of the weights to start from`);
    return known;
  }
  const size = await dataSize(data, withoutForget);
  const preset = presetFor(size);
  onNotice?.(`--preset ${preset}: ${size.why}`);
  return preset;
}

/**
 * The preset's config with what the weights to start from were trained with and no tensor tells: heads,
 * LayerNorm's epsilon, normalisation.
 *
 * @throws {LetheError} they are of another architecture, or their config.json contradicts them
 */
export function startConfig(config: ModelConfig, start: Pretrained | null): ModelConfig {
  if (start?.config) {
    const { heads, layerNormEps, mean, std } = start.config;
    return {
      ...config,
      ...(start.config.dim === config.dim ? { heads } : {}),
      layerNormEps,
      mean,
      std,
    };
  }
  if (!start) return config;
  const { weights, file, published } = start;
  // Without a config.json the preset names the heads.
  const heads = published?.heads === undefined ? config.heads : undefined;
  const shape = inferShape(weights, file, heads, published);
  const { mean, std } = published ?? {};
  return {
    ...config,
    ...(shape.dim === config.dim ? { heads: shape.heads } : {}),
    layerNormEps: shape.layerNormEps,
    ...(mean && std ? { mean, std } : {}),
  };
}

/** Fresh weights, or those of `init`; its head only where it has the same labels. */
export function initialTheta(
  config: ModelConfig,
  seed: number,
  start: Pretrained | null,
): Weights {
  const fresh = () => initialVit(config, config.labels.length, new Random(seed, "initial theta"));
  if (start === null) return fresh();
  const { weights, file, config: given } = start;
  const otherLabels = given && given.labels.join("\n") !== config.labels.join("\n");
  const kept = otherLabels
    ? new Map([...weights].filter(([name]) => !name.startsWith("head.")))
    : weights;
  const published = pretrainedTheta(kept, config, config.labels.length, file);
  const theta: Record<string, tf.Tensor> = {};
  for (const [name, drawn] of Object.entries(fresh())) {
    const from = published.get(name);
    theta[name] = from ? tf.tensor(from.values, [...from.shape]) : drawn;
    if (from) drawn.dispose();
  }
  return theta;
}
