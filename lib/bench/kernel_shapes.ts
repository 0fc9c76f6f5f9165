import type { VitShape } from "../model/vit.ts";
import { tokensOf } from "./operations.ts";

/** A fully connected layer on m rows: x [m, k], weight [n, k]. */
export interface LayerShape {
  /** What it is, `qkv` or `meta 1`. */
  readonly name: string;
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** The fully connected layers of a ViT on b images; each shape once. */
export function vitLayers(shape: VitShape, labels: number, b: number): LayerShape[] {
  const { dim, patchSize } = shape;
  const n = tokensOf(shape);
  return [
    { name: "patches", m: b * (n - 1), k: 3 * patchSize ** 2, n: dim },
    { name: "qkv", m: b * n, k: dim, n: 3 * dim },
    { name: "proj", m: b * n, k: dim, n: dim },
    { name: "fc1", m: b * n, k: dim, n: 4 * dim },
    { name: "fc2", m: b * n, k: 4 * dim, n: dim },
    { name: "head", m: b, k: dim, n: labels },
  ];
}

/** The fully connected layers of the meta-loss (Table 8b) on s support images. */
export function metaLossLayers(
  { dim }: VitShape,
  labels: number,
  hidden: number,
  s: number,
): LayerShape[] {
  return [
    { name: "meta 1", m: s, k: 2 * labels + dim + 64, n: hidden },
    { name: "meta 2", m: s, k: hidden, n: hidden },
    { name: "meta 3", m: s, k: hidden, n: 1 },
  ];
}
