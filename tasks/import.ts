import { command, main } from "../cli/command/command.ts";
import { claimOutput } from "../lib/files/claim_output.ts";
import { importModel } from "../lib/run/import_model.ts";

/** Mean and standard deviation of published models' pixels, by timm's names for them. */
const NORMALISATIONS = {
  inception: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  imagenet: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
} as const;

/** `deno task import`: a ViT that was trained elsewhere. */
export const importTask = command({
  name: "import",
  summary: "makes a model folder of a ViT trained elsewhere, in timm's or Hugging Face's names",
  options: {
    weights: {
      kind: "path",
      required: true,
      takes: "weights",
      value: "FILE",
      help:
        "its .safetensors (float32, float16 or bfloat16), or the folder that it was published as",
    },
    labels: { kind: "list", required: true, help: "names of the head's outputs, in their order" },
    task: {
      kind: "choice",
      of: ["multi-label", "classes"],
      default: "multi-label",
      help: "independent labels, or one of several classes",
    },
    normalisation: {
      kind: "choice",
      of: Object.keys(NORMALISATIONS) as (keyof typeof NORMALISATIONS)[],
      help: "of the pixels: mean and deviation 0.5, or ImageNet's (config.json's, else inception)",
    },
    imageSize: { kind: "integer", min: 1, max: 4096, help: "resize the positions to this input" },
    heads: {
      kind: "integer",
      min: 1,
      max: 128,
      help: "attention heads (config.json's, else width / 64)",
    },
    out: { kind: "path", default: "model", value: "DIR", help: "model folder to make" },
  },
  examples: ["deno task import --weights vit.safetensors --labels Smiling,Young --out model"],
  async run({ normalisation, imageSize, heads, ...options }, terminal) {
    using _claim = await claimOutput(options.out);
    const { config, assumedNormalisation } = await importModel({
      ...options,
      ...(normalisation === undefined ? {} : { normalisation: NORMALISATIONS[normalisation] }),
      ...(imageSize === undefined ? {} : { imageSize }),
      ...(heads === undefined ? {} : { heads }),
    });
    terminal.print(
      `${options.out}: ${config.imageSize} px, patch ${config.patchSize}, width ${config.dim}, ` +
        `${config.depth} blocks, ${config.heads} heads, ${config.labels.length} labels, ` +
        `pixels of mean ${config.mean.join(", ")} and deviation ${config.std.join(", ")}`,
    );
    if (assumedNormalisation) {
      terminal.note(
        "the weights do not say how their pixels were normalised, so this is assumed; " +
          "--normalisation imagenet is the other one in use",
      );
    }
  },
});

if (import.meta.main) await main(importTask);
