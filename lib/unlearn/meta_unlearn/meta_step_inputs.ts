import type * as tf from "@tensorflow/tfjs";
import type { Tensors } from "../../tensor/recording/recording.ts";
import type { Support } from "./algorithm1_unlearning_step.ts";
import type { DeviceBatch, TermImages } from "./objective_on_device.ts";

/** A request as the named inputs of a recorded step. */
export function inputsOf(support: Support, batches: readonly DeviceBatch[]): Tensors {
  const inputs: Record<string, tf.Tensor> = {};
  const set = (name: string, tensor: tf.Tensor | undefined) => {
    if (tensor) inputs[name] = tensor;
  };
  const images = (name: string, of: TermImages | undefined) => {
    set(`${name} patches`, of?.patches);
    set(`${name} targets`, of?.targets);
    set(`${name} weights`, of?.weights);
  };
  set("patches", support.patches);
  set("targets", support.targets);
  set("selection", support.selection);
  set("dropout", support.dropout);
  batches.forEach(({ forget, val, original, keep, share }, i) => {
    images(`${i} forget`, forget);
    images(`${i} val`, val);
    images(`${i} keep`, keep);
    set(`${i} original`, original);
    set(`${i} keep original`, keep?.original);
    set(`${i} share`, share);
  });
  return inputs;
}

/** The inverse of {@link inputsOf}. */
export function requestOf(inputs: Tensors): { support: Support; batches: DeviceBatch[] } {
  const { patches, targets, selection, dropout } = inputs;
  const images = (name: string): TermImages | undefined =>
    inputs[`${name} patches`] && {
      patches: inputs[`${name} patches`],
      targets: inputs[`${name} targets`],
      weights: inputs[`${name} weights`],
    };
  const batches: DeviceBatch[] = [];
  for (let i = 0; inputs[`${i} share`]; i++) {
    const [val, keep] = [images(`${i} val`), images(`${i} keep`)];
    batches.push({
      forget: images(`${i} forget`)!,
      ...val ? { val } : {},
      original: inputs[`${i} original`],
      ...keep ? { keep: { ...keep, original: inputs[`${i} keep original`] } } : {},
      share: inputs[`${i} share`],
    });
  }
  return {
    support: {
      patches,
      targets,
      rows: [],
      ...selection ? { selection } : {},
      ...dropout ? { dropout } : {},
    },
    batches,
  };
}
