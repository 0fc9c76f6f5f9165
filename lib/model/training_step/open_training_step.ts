import { activeWebgpu } from "../../tensor/recording/owned_tensor.ts";
import type { Weights } from "../../tensor/weights.ts";
import { plainTrainingStep } from "./plain_training_step.ts";
import { recordedTrainingStep } from "./recorded_training_step.ts";
import type { StepSettings, TrainingStep } from "./training_step.ts";

/** The step of the active device. @param theta taken over */
export function trainingStep(settings: StepSettings, theta: Weights): TrainingStep {
  const backend = activeWebgpu();
  return backend
    ? recordedTrainingStep(backend, settings, theta)
    : plainTrainingStep(settings, theta);
}
