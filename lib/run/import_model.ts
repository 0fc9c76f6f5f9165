import { INPUT_VERSION } from "../data/images/stored_form.ts";
import type { Task } from "../data/sample.ts";
import { refuseExisting } from "../files/write_whole.ts";
import { LetheError } from "../error.ts";
import { writeModel } from "../model/checkpoint.ts";
import type { ModelConfig } from "../model/config.ts";
import { inferShape } from "../model/pretrained/infer_shape.ts";
import { pretrainedTheta } from "../model/pretrained/pretrained_theta.ts";
import { hasPreLogits } from "../model/pretrained/foreign_tensors.ts";
import type { PublishedConfig } from "../model/pretrained/published_config.ts";
import { readPretrained } from "../model/pretrained/read_pretrained.ts";

/** What {@link importModel} needs. */
export interface ImportOptions {
  /** A `.safetensors` file or a folder with a `model.safetensors`. */
  readonly weights: string;
  /** Model folder to make; it must not exist. */
  readonly out: string;
  /** What the model predicts. */
  readonly task: Task;
  /** In the order of the logits. */
  readonly labels: readonly string[];
  /** Where it is not dim / 64. */
  readonly heads?: number;
  /** Pixels a side, where positions are to be resized. */
  readonly imageSize?: number;
  /**
   * Per channel, of pixels in [0, 1]: what the model was trained with; default what its config.json says,
   * or mean and deviation 0.5.
   */
  readonly normalisation?: Pick<ModelConfig, "mean" | "std">;
}

/** An imported model, and what was assumed of it. */
export interface ImportedModel {
  /** What the network is and predicts. */
  readonly config: ModelConfig;
  /** Neither the command nor the config.json said how pixels are normalised. */
  readonly assumedNormalisation: boolean;
}

/** Of the ViTs that Google published, and of timm's of the same names. */
const ASSUMED = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

/**
 * Makes a model folder of a ViT that was trained elsewhere, under timm's or transformers' names: its
 * head is kept, so the labels have to be the head's.
 *
 * @throws LetheError `out` exists, or the weights are no such ViT's
 */
export async function importModel(options: ImportOptions): Promise<ImportedModel> {
  const { out, task, labels } = options;
  await refuseExisting(out);
  const { weights, file, published, config: own } = await readPretrained(options.weights);
  if (own) {
    throw new LetheError(
      `${options.weights} is a model folder of Lethe's already`,
      "models from elsewhere are imported",
      "use it as it is, e.g. with --model",
    );
  }
  const { labels: outputs, ...shape } = inferShape(weights, file, options.heads, published);
  if (hasPreLogits(weights.keys())) {
    throw new LetheError(
      `${file} has a layer pre_logits between features and head`,
      "Lethe's head reads the features themselves, so this head would mean nothing",
      "train a new head with deno task train --init",
    );
  }
  if (outputs !== labels.length) {
    throw new LetheError(
      outputs === null ? `${file} has no head` : `${file} has a head of ${outputs} outputs`,
      `${labels.length} labels are named`,
      outputs === null
        ? "train a head with deno task train --init"
        : "name a label for each, or train a new head with deno task train --init",
    );
  }
  const said = saidNormalisation(options, published);
  const config: ModelConfig = {
    architecture: "vit",
    ...shape,
    imageSize: options.imageSize ?? shape.imageSize,
    ...said ?? ASSUMED,
    task,
    labels,
    inputVersion: INPUT_VERSION,
  };
  const theta = pretrainedTheta(
    weights,
    config,
    labels.length,
    file,
    "use the weights of a plain ViT",
  );
  await writeModel(out, { config, theta });
  return { config, assumedNormalisation: said === null };
}

/** @throws {LetheError} the command says another one than the config.json */
function saidNormalisation(
  { normalisation }: ImportOptions,
  published: PublishedConfig | undefined,
): Pick<ModelConfig, "mean" | "std"> | null {
  const { mean, std, file } = published ?? {};
  if (!mean || !std) return normalisation ?? null;
  const differs = normalisation &&
    [...normalisation.mean, ...normalisation.std].join() !== [...mean, ...std].join();
  if (!differs) return { mean, std };
  throw new LetheError(
    `--normalisation says mean ${normalisation.mean.join(", ")}`,
    `${file} says that the model was trained with mean ${mean.join(", ")} and deviation ${
      std.join(", ")
    }`,
    "leave --normalisation out",
  );
}
