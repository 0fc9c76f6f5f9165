import type { InputFormat } from "../data/loader/stored_source.ts";
import type { StoredForm } from "../data/images/stored_form.ts";
import type { ModelConfig } from "./config.ts";

/** How a model's config wants its pixels and targets. */
export function inputFormat(config: ModelConfig): InputFormat {
  const { imageSize, patchSize, mean, std, task, labels } = config;
  return { imageSize, patchSize, mean, std, task, labels: labels.length };
}

/**
 * How images are stored for a model, by the version that it was trained with.
 *
 * @param side pixels a side, where they are to be cut further; default the model's input
 */
export function storedForm(config: ModelConfig, side: number = config.imageSize): StoredForm {
  return { side, version: config.inputVersion ?? 1 };
}
