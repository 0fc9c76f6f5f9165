import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { onCard } from "../card.ts";
import { cover, type KernelArguments, runProgram } from "../program.ts";
import { BLOCK_BYTES, LANES, TILE, tileBytes } from "./tiles.ts";

/** Attention for cards: no [n, n] in memory, all sums in an order that the sizes alone decide. */

export interface FlashSizes {
  readonly b: number;
  readonly n: number;
  readonly d: number;
  readonly heads: number;
  readonly headDim: number;
}

/** Of a call. */
export function sizesOf({ inputs, attrs }: KernelArguments): FlashSizes {
  const [b, n, width] = inputs.qkv.shape;
  const [d, heads] = [width / 3, attrs.heads as number];
  return { b, n, d, heads, headDim: d / heads };
}

/** Workgroup memory of the hungriest of the kernels here. */
function bytesOf(headDim: number): number {
  return 4 * tileBytes(headDim) + 2 * BLOCK_BYTES + 2048;
}

/**
 * Sizes of a head that these kernels are for. At 64 the tiles leave a card too few workgroups at a time:
 * there products of blocks take half the time forward and a sixth backward (H200, ViT-B/16).
 */
export function isFlashHead(headDim: number): boolean {
  return headDim % 4 === 0 && headDim <= 32;
}

/** Whether these kernels suit the adapter and can take this tensor: float32, small heads, room. */
export function suitsFlash(args: KernelArguments): boolean {
  if (!onCard() || args.attrs.half) return false;
  const { headDim } = sizesOf(args);
  const { maxComputeWorkgroupStorageSize } = (args.backend as WebGPUBackend).device.limits;
  return isFlashHead(headDim) && bytesOf(headDim) <= maxComputeWorkgroupStorageSize;
}

/** Queues one of the kernels, a workgroup per tile of rows. */
export function runFlash(
  { backend }: KernelArguments,
  { b, n, d, heads, headDim }: FlashSizes,
  key: string,
  inputs: Readonly<Record<string, TensorInfo>>,
  widths: readonly (1 | 4)[],
  written: Readonly<Record<string, TensorInfo>>,
  outputShape: readonly number[],
  code: string,
  output?: TensorInfo,
): TensorInfo {
  const tiles = Math.ceil(n / TILE);
  const groups = b * heads * tiles;
  return runProgram(
    backend,
    {
      key: `flash ${key} ${headDim}`,
      inputs: Object.keys(inputs),
      widths: [...widths, 1],
      writes: Object.keys(written).map((name) => ({ name, width: 1 })),
      workgroupSize: [LANES, 1, 1],
      workgroups: cover(groups, 1),
      outputShape,
      uniforms: [
        ...Object.entries({ n, d, heads, tiles, groups })
          .map(([name, value]) => ({ name, type: "i32" as const, value })),
        { name: "scale", type: "f32", value: 1 / Math.sqrt(headDim) },
      ],
      code,
    },
    Object.values(inputs),
    output,
    Object.values(written),
  );
}
