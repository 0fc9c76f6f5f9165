import * as tf from "@tensorflow/tfjs";
import { thetaShapes } from "../model/theta_shapes.ts";
import type { VitShape } from "../model/vit.ts";
import { deviceMemory } from "../tensor/device_memory.ts";
import type { Optimiser } from "../tensor/optimisers/optimiser.ts";
import { disposeWeights, type Weights } from "../tensor/weights.ts";
import { draw, type KernelCase, queued } from "./kernel_case.ts";

/** Sets of theta's size at the worst moment: weights, moments, what is next, of both sides; gradients. */
const SETS = 14;

/** The first tensors of theta that the device can hold so many times: all of them, but for large models. */
function withinMemory(sizes: [string, readonly number[]][]): [string, readonly number[]][] {
  const most = deviceMemory().bytes / 4 / SETS;
  let sum = 0;
  return sizes.filter(([, size]) => (sum += size.reduce((a, b) => a * b, 1)) <= most);
}

/**
 * An optimiser's step on theta, or as much of it as the device holds, against tfjs's own.
 *
 * @param transfers tensors as large as theta that have to be read or written
 */
export function optimiserCase(
  name: string,
  shape: VitShape,
  labels: number,
  transfers: number,
  make: () => Optimiser,
  stock: () => tf.Optimizer,
): KernelCase {
  const sizes = withinMemory([...thetaShapes(shape, labels)]);
  const count = sizes.reduce((sum, [, size]) => sum + size.reduce((a, b) => a * b, 1), 0);
  const drawn = (): Weights =>
    Object.fromEntries(sizes.map(([name, size]) => [name, draw([...size])]));
  return {
    name,
    shape: `${count} weights`,
    work: 4 * transfers * count,
    unit: "GB/s",
    prepare() {
      const [last] = sizes[sizes.length - 1];
      const gradients = drawn();
      const [optimiser, stockOptimiser] = [make(), stock()];
      let theta = drawn();
      const variables = Object.fromEntries(
        sizes.map(([name, size]) => [name, tf.tidy(() => tf.variable(draw([...size])))]),
      );
      const named = Object.fromEntries(
        Object.entries(variables).map(([name, variable]) => [variable.name, gradients[name]]),
      );
      return {
        ours: queued(() => {
          theta = optimiser.step(theta, gradients, 1e-6);
          return [tf.clone(theta[last])];
        }),
        stock: queued(() => {
          stockOptimiser.applyGradients(named);
          return [tf.clone(variables[last] as tf.Tensor)];
        }),
        dispose() {
          disposeWeights(theta);
          disposeWeights(gradients);
          disposeWeights(variables);
          optimiser.dispose();
          stockOptimiser.dispose();
          // tfjs's momentum forgets its own rate.
          tf.dispose((stockOptimiser as { c?: tf.Tensor }).c ?? []);
        },
      };
    },
  };
}
