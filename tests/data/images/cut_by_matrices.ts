import * as tf from "@tensorflow/tfjs";
import { matMul } from "../../../lib/tensor/mat_mul.ts";
import { axisTaps, type Taps } from "../../../lib/data/images/bilinear.ts";
import type { Cut } from "../../../lib/data/images/random_crop.ts";

/** An axis as a matrix: [to, from] row after row, written into `out` at `offset`. */
function writeAxis(out: Float32Array, offset: number, from: number, taps: Taps): void {
  taps.share.forEach((share, i) => {
    out[offset + i * from + taps.first[i]] += 1 - share;
    out[offset + i * from + taps.second[i]] += share;
  });
}

/**
 * Cuts, resizes and mirrors a batch in another way than the code does: bilinear resampling is separable, so each image is
 * two small matrix products with matrices that hold its own cut.
 *
 * @param images [b, s, s, 3]
 * @param cuts one per image
 * @returns [b, side, side, 3] in the images' own range, owned by the caller
 */
export function cutByMatrices(images: tf.Tensor, cuts: readonly Cut[], side: number): tf.Tensor {
  const [b, s] = images.shape as number[];
  const vertical = new Float32Array(b * side * s);
  const horizontal = new Float32Array(b * side * s);
  cuts.forEach((cut, i) => {
    const { top, left, height, width, mirrored } = cut;
    writeAxis(vertical, i * side * s, s, axisTaps(side, { start: top, length: height }));
    writeAxis(
      horizontal,
      i * side * s,
      s,
      axisTaps(side, { start: left, length: width, mirrored }),
    );
  });
  return tf.tidy(() => {
    const rows = matMul(tf.tensor3d(vertical, [b, side, s]), tf.reshape(images, [b, s, s * 3]));
    const turned = tf.reshape(tf.transpose(tf.reshape(rows, [b, side, s, 3]), [0, 2, 1, 3]), [
      b,
      s,
      side * 3,
    ]);
    const columns = matMul(tf.tensor3d(horizontal, [b, side, s]), turned);
    return tf.transpose(tf.reshape(columns, [b, side, side, 3]), [0, 2, 1, 3]);
  });
}
