import * as tf from "@tensorflow/tfjs";

/**
 * Cuts images into rows of patches, channel-major as timm's patch embedding weight.
 *
 * @param images [b, side, side, 3], normalised
 * @returns [b (side / patchSize)^2, 3 patchSize^2], owned by the caller
 */
export function patchRows(images: tf.Tensor, patchSize: number): tf.Tensor {
  return tf.tidy(() => {
    const [b, side] = images.shape;
    const grid = side! / patchSize;
    const rows = b * grid * grid;
    // Two transposes of low rank: the backends do not all go up to rank 6.
    const cut = tf.reshape(images, [b * grid, patchSize, grid, patchSize * 3]);
    const patches = tf.reshape(tf.transpose(cut, [0, 2, 1, 3]), [rows, patchSize * patchSize, 3]);
    return tf.reshape(tf.transpose(patches, [0, 2, 1]), [rows, 3 * patchSize * patchSize]);
  });
}
