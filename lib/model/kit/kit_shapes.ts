import type { ModelConfig } from "../config.ts";
import { metaLossShapes } from "../meta_loss/meta_loss_shapes.ts";
import { thetaShapes } from "../theta_shapes.ts";
import type { KitManifest } from "./kit_manifest.ts";
import { covarianceShapes } from "./kit_statistics.ts";

/** Names and shapes of a file's tensors. */
type Shapes = ReadonlyMap<string, readonly number[]>;

const theta = (_: KitManifest, config: ModelConfig) => thetaShapes(config, config.labels.length);

/** What a kit's settings call for, by the file that holds it; every tensor is of floats. */
const SHAPES: Readonly<Record<string, (manifest: KitManifest, config: ModelConfig) => Shapes>> = {
  "model.safetensors": theta,
  "meta_loss.safetensors": ({ unlearning, identities, metaLoss }, { dim, labels }) =>
    metaLossShapes({
      inputs: unlearning.inputs,
      labels: labels.length,
      dim,
      identities: identities.length,
      ...metaLoss,
    }),
  "step_sizes.safetensors": (manifest, config) =>
    new Map([...theta(manifest, config).keys()].map((name) => [name, []])),
  "importances.safetensors": theta,
  "covariances.safetensors": (_, config) => covarianceShapes(config, config.labels.length),
};

/** The tensors that are due in a file of weights of a kit. */
export function kitShapes(file: string, manifest: KitManifest, config: ModelConfig): Shapes {
  return SHAPES[file](manifest, config);
}
