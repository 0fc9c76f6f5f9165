import { checkWeights } from "../checkpoint.ts";
import type { Weight } from "../safetensors.ts";
import { thetaShapes } from "../theta_shapes.ts";
import type { VitShape } from "../vit.ts";
import { hasPreLogits, refuseForeignTensors } from "./foreign_tensors.ts";
import { timmNames } from "./names.ts";
import { resizePositions } from "./resize_positions.ts";

/**
 * A published file's tensors as the theta of a model: timm's names, positions resized to the model's
 * grid of patches, the head left out where it has another number of labels.
 *
 * @param weights as read from the file
 * @param labels outputs of the model's head
 * @param file for errors
 * @param remedy what to do about another architecture or size
 * @returns all of theta, or all but `head.weight` and `head.bias`
 * @throws {LetheError} the file is of another architecture or size
 */
export function pretrainedTheta(
  weights: ReadonlyMap<string, Weight>,
  shape: VitShape,
  labels: number,
  file: string,
  remedy = "choose the preset of that model",
): Map<string, Weight> {
  refuseForeignTensors(weights.keys(), file);
  const theta = timmNames(weights, file);
  const positions = theta.get("pos_embed");
  if (positions) {
    theta.set("pos_embed", resizePositions(positions, shape.imageSize / shape.patchSize, file));
  }
  const due = thetaShapes(shape, labels);
  // A head behind another layer means nothing without it.
  if (theta.get("head.weight")?.shape[0] !== labels || hasPreLogits(weights.keys())) {
    for (const name of ["head.weight", "head.bias"]) {
      theta.delete(name);
      due.delete(name);
    }
  }
  checkWeights(theta, due, file, remedy);
  return theta;
}
