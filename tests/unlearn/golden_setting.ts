import { assert } from "@std/assert";
import { fromFileUrl } from "@std/path";
import * as tf from "@tensorflow/tfjs";
import { type Golden, goldenTensor, readGolden } from "../../lib/audit/golden.ts";
import { patchRows } from "../../lib/data/patches.ts";
import type { ImageSource } from "../../lib/data/image_source.ts";
import { uploadWeights } from "../../lib/model/device_weights.ts";
import type { Weight } from "../../lib/model/safetensors.ts";
import { disposeWeights, type Weights } from "../../lib/tensor/weights.ts";
import { METHODS_BATCH, METHODS_EXPECTED } from "../measure/golden_methods.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";

const FOLDER = fromFileUrl(new URL("../../../shared/golden/0", import.meta.url));

/** The golden model and images on the device, and what a method is to make of them. */
export interface GoldenSetting {
  readonly golden: Golden;
  readonly theta: Weights;
  readonly source: ImageSource;
  /** Indices of `source`. */
  readonly train: number[];
  readonly support: number[];
  readonly forget: number[];
  /** Weights of `methods_batch` under a prefix; the caller disposes them. */
  weights(prefix: string): Weights;
  /** An expected tensor's values. */
  expected(name: string): ArrayLike<number>;
  /** Patch rows of images [b, 3, side, side] of `methods_batch`, from image `from` on. */
  patches(values: Weight, from?: number, count?: number): tf.Tensor;
}

/** Registers a test against the golden numbers of the methods, once per backend. */
export function goldenMethodTest(
  name: string,
  test: (setting: GoldenSetting) => Promise<void>,
): void {
  const [batch, expected] = [METHODS_BATCH, METHODS_EXPECTED];
  if (batch === null || expected === null) {
    Deno.test({ name: `${name} (needs ../shared/golden/0)`, ignore: true, fn() {} });
    return;
  }
  onEachDevice(name, async () => {
    const golden = await readGolden(FOLDER);
    const { shape, labels } = golden;
    const patches = ({ values, shape: [all, ...image] }: Weight, from = 0, count = all) => {
      const size = values.length / all;
      const part = values.subarray(from * size, (from + count) * size);
      return tf.tidy(() =>
        patchRows(tf.transpose(tf.tensor(part, [count, ...image]), [0, 2, 3, 1]), shape.patchSize)
      );
    };
    const parts = [
      batch.get("train.images")!,
      goldenTensor(golden.batch, "support.images"),
      goldenTensor(golden.batch, "forget.images"),
    ];
    const targets = [
      batch.get("train.targets")!,
      goldenTensor(golden.batch, "support.targets"),
      goldenTensor(golden.batch, "forget.targets"),
    ].flatMap(({ values }) => [...values]);
    const starts = parts.map((_, k) => parts.slice(0, k).reduce((sum, p) => sum + p.shape[0], 0));
    const images = (k: number) =>
      Array.from({ length: parts[k].shape[0] }, (_, i) => starts[k] + i);
    const targetsOf = (indices: readonly number[]) =>
      Float32Array.from(indices.flatMap((i) => targets.slice(i * labels, (i + 1) * labels)));
    const source: ImageSource = {
      targets: targetsOf,
      batch: (indices) => ({
        patches: tf.tidy(() =>
          tf.concat(indices.map((i) => {
            const k = starts.findLastIndex((start) => i >= start);
            return patches(parts[k], i - starts[k], 1);
          }))
        ),
        targets: tf.tensor2d(targetsOf(indices), [indices.length, labels]),
      }),
    };
    const theta = uploadWeights(golden.model);
    await test({
      golden,
      theta,
      source,
      train: images(0),
      support: images(1),
      forget: images(2),
      weights: (prefix) =>
        uploadWeights(
          new Map(
            [...batch].filter(([name]) => name.startsWith(prefix))
              .map(([name, weight]) => [name.slice(prefix.length), weight]),
          ),
        ),
      expected: (name) => expected.get(name)!.values,
      patches,
    });
    disposeWeights(theta);
  });
}

/** Holds values within 1e-3 of the largest expected magnitude, or 1e-6; elements can be left out. */
export function assertGolden(
  name: string,
  values: ArrayLike<number>,
  expected: ArrayLike<number>,
  counts: (element: number) => boolean = () => true,
): void {
  let [error, magnitude] = [values.length === expected.length ? 0 : Infinity, 0];
  for (let i = 0; i < expected.length; i++) {
    magnitude = Math.max(magnitude, Math.abs(expected[i]));
    const gap = Math.abs(values[i] - expected[i]);
    if (counts(i)) error = Math.max(error, Number.isNaN(gap) ? Infinity : gap);
  }
  assert(error <= Math.max(1e-3 * magnitude, 1e-6), `${name}: off by ${error} of ${magnitude}`);
}

/** {@link assertGolden} of every tensor of theta, under a prefix of the expected names. */
export async function assertGoldenWeights(
  weights: Weights,
  prefix: string,
  setting: GoldenSetting,
): Promise<void> {
  for (const [name, tensor] of Object.entries(weights)) {
    assertGolden(`${prefix}${name}`, await tensor.data(), setting.expected(`${prefix}${name}`));
  }
}
