import { INPUT_VERSION } from "../data/images/stored_form.ts";
import type { Task } from "../data/sample.ts";
import { refuseExisting } from "../files/write_whole.ts";
import { LetheError } from "../error.ts";
import { writeModel } from "../model/checkpoint.ts";
import type { ModelConfig } from "../model/config.ts";
import { inferShape } from "../model/pretrained/infer_shape.ts";
import { pretrainedTheta } from "../model/pretrained/pretrained_theta.ts";
import { readPretrained } from "../model/pretrained/read_pretrained.ts";

/** What {@link importModel} needs. */
export interface ImportOptions {
  /** A `.safetensors` file or a folder with a `model.safetensors`. */
  readonly weights: string;
  /** Model folder to make; it must not exist. */
  readonly out: string;
  readonly task: Task;
  /** In the order of the logits. */
  readonly labels: readonly string[];
  /** Where it is not dim / 64. */
  readonly heads?: number;
  /** Pixels a side, where positions are to be resized. */
  readonly imageSize?: number;
  /** Per channel, of pixels in [0, 1]: what the model was trained with. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * Makes a model folder of a ViT that was trained elsewhere, under timm's or transformers' names: its
 * head is kept, so the labels have to be the head's.
 *
 * @throws LetheError `out` exists, or the weights are no such ViT's
 */
export async function importModel(options: ImportOptions): Promise<ModelConfig> {
  const { out, task, labels, mean, std } = options;
  await refuseExisting(out);
  const { weights, file } = await readPretrained(options.weights);
  const { labels: outputs, ...shape } = inferShape(weights, file, options.heads);
  if (outputs !== labels.length) {
    throw new LetheError(
      outputs === null ? `${file} has no head` : `${file} has a head of ${outputs} outputs`,
      `${labels.length} labels are named`,
      outputs === null
        ? "train a head with deno task train --init"
        : "name a label for each, or train a new head with deno task train --init",
    );
  }
  const config: ModelConfig = {
    architecture: "vit",
    ...shape,
    imageSize: options.imageSize ?? shape.imageSize,
    mean,
    std,
    task,
    labels,
    inputVersion: INPUT_VERSION,
  };
  const theta = pretrainedTheta(weights, config, labels.length, file);
  await writeModel(out, { config, theta });
  return config;
}
