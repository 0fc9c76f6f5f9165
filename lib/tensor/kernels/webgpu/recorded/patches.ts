import type { TensorInfo } from "@tensorflow/tfjs";
import { cover, flatIndex, type KernelArguments, runProgram } from "../program.ts";

const LANES = 64;

/**
 * `LethePatches`: bytes of images [b, side, side, 3], four to a word (int32), and where each is cut,
 * [b, 5]: top, left, height, width and whether it is mirrored, to patch rows
 * [b (imageSize / patchSize)^2, 3 patchSize^2] of `pixel * scale + shift`, channel after channel.
 * Bilinear, half-pixel centres, no antialias, edges of the cut repeated: `cutAndResizeHere`, `normalise`
 * and `patchRows` in one program. Attributes: `side`, `imageSize`, `patchSize`, `scale0` .. `shift2`.
 */
export function patchesKernel({ backend, inputs, attrs }: KernelArguments): TensorInfo {
  const { bytes, cuts } = inputs;
  const [b] = cuts.shape;
  const { side, imageSize, patchSize } = attrs as Record<string, number>;
  const grid = imageSize / patchSize;
  const count = b * imageSize * imageSize;
  const sizes = { count, side, imageSize, patchSize, grid };
  const shifts = ["scale0", "scale1", "scale2", "shift0", "shift1", "shift2"];
  return runProgram(backend, {
    key: "patches of bytes",
    inputs: ["Bytes", "Cuts"],
    words: [true, false],
    workgroupSize: [LANES, 1, 1],
    workgroups: cover(count, LANES),
    outputShape: [b * grid * grid, 3 * patchSize * patchSize],
    uniforms: [
      ...Object.entries(sizes).map(([name, value]) => ({ name, type: "i32" as const, value })),
      ...shifts.map((name) => ({ name, type: "f32" as const, value: attrs[name] as number })),
    ],
    code: `
    fn byteAt(i : i32) -> f32 {
      return f32((Bytes[i / 4] >> u32(8 * (i % 4))) & 255);
    }
    // Two cells of the stored axis and the share of the second.
    struct Tap { low : i32, high : i32, share : f32 };
    fn tap(i : i32, start : i32, length : i32) -> Tap {
      let scale = f32(length) / f32(uniforms.imageSize);
      let at = max(0.0, (f32(i) + 0.5) * scale - 0.5);
      let low = min(i32(floor(at)), length - 1);
      return Tap(start + low, start + min(low + 1, length - 1), at - f32(low));
    }
    fn main() {
      let i = ${flatIndex(LANES)};
      if (i >= uniforms.count) { return; }
      let n = uniforms.imageSize;
      let image = i / (n * n);
      let y = (i / n) % n;
      let x = i % n;
      let cut = 5 * image;
      let down = tap(y, i32(Cuts[cut]), i32(Cuts[cut + 2]));
      let column = select(x, n - 1 - x, Cuts[cut + 4] > 0.5);
      let across = tap(column, i32(Cuts[cut + 1]), i32(Cuts[cut + 3]));
      let top = (image * uniforms.side + down.low) * uniforms.side;
      let bottom = (image * uniforms.side + down.high) * uniforms.side;
      let p = uniforms.patchSize;
      let row = (image * uniforms.grid + y / p) * uniforms.grid + x / p;
      let to = row * 3 * p * p + (y % p) * p + x % p;
      let scales = vec3<f32>(uniforms.scale0, uniforms.scale1, uniforms.scale2);
      let shifts = vec3<f32>(uniforms.shift0, uniforms.shift1, uniforms.shift2);
      for (var c = 0; c < 3; c = c + 1) {
        let upper = byteAt(3 * (top + across.low) + c) * (1.0 - across.share) +
          byteAt(3 * (top + across.high) + c) * across.share;
        let lower = byteAt(3 * (bottom + across.low) + c) * (1.0 - across.share) +
          byteAt(3 * (bottom + across.high) + c) * across.share;
        let pixel = upper * (1.0 - down.share) + lower * down.share;
        result[to + c * p * p] = pixel * scales[c] + shifts[c];
      }
    }`,
  }, [bytes, cuts]);
}
