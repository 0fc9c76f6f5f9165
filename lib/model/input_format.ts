import type { InputFormat } from "../data/loader/stored_source.ts";
import type { ModelConfig } from "./config.ts";

/** How a model's config wants its pixels and targets. */
export function inputFormat(config: ModelConfig): InputFormat {
  const { imageSize, patchSize, mean, std, task, labels } = config;
  return { imageSize, patchSize, mean, std, task, labels: labels.length };
}
