import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { type ProductCase, productKernel } from "../autotune/product_choice.ts";
import { type ProductKernel, tileOf, tilesOf } from "./product_kernels.ts";
import { wordsOf } from "./half_source.ts";
import { registerSource, type Variant } from "./product_source.ts";
import { cover, type KernelProgram, runProgram } from "./program.ts";
import { type Ending, endingTensors, kindOf } from "./product_ending.ts";
import { tiledSource } from "./product_tiled_source.ts";

/**
 * Products of matrices that lie anywhere in a buffer: rows a stride apart, batches in two levels
 * (image, head), so that attention needs no transposes.
 */

/** A batch of matrices in a buffer; sizes and places count numbers. */
export interface Block {
  readonly info: TensorInfo;
  /** Whether the buffer holds pairs of halves; else float32. */
  readonly half?: boolean;
  readonly offset: number;
  /** From one row to the next. */
  readonly row: number;
  /** From image to image, and from head to head within an image. */
  readonly image: number;
  readonly head: number;
  /** Whether the rows run along the inner axis of the product (a [m, k], b [n, k]). */
  readonly alongInner: boolean;
  /** Rows of the matrix; those asked for beyond are read as the last one. */
  readonly rows: number;
  /** Numbers per row that may be read. */
  readonly columns: number;
}

/** c = scale a b (+ bias), for `images` x `heads` matrices of m x n. */
export interface Product {
  readonly a: Block;
  readonly b: Block;
  /** Where the result goes; `info` may be an output that other products fill in part. */
  readonly c: Omit<Block, "info" | "half" | "alongInner" | "rows" | "columns">;
  readonly output: TensorInfo;
  readonly images: number;
  readonly heads: number;
  readonly m: number;
  readonly n: number;
  /** Inner size; beyond it, a and b are not read. */
  readonly k: number;
  /** Inner size per part where the sum is split over the images (then k is the whole of it). */
  readonly part?: number;
  readonly scale?: number;
  /** [n] */
  readonly bias?: TensorInfo;
  /** What else happens to an element. */
  readonly ending?: Ending | undefined;
  /** [images, m], to be filled with the sums of a's rows over the inner axis; on a card only. */
  readonly rowSums?: TensorInfo | undefined;
}

/** Whether every row of a block starts on a multiple of four numbers and holds whole fours. */
function isAligned({ offset, row, image, head, columns }: Block): boolean {
  return [offset, row, image, head, columns].every((x) => x % 4 === 0);
}

function i32s(values: Readonly<Record<string, number>>): NonNullable<KernelProgram["uniforms"]> {
  return Object.entries(values).map(([name, value]) => ({ name, type: "i32", value }));
}

/** Largest start of a read across the rows of a block, or its last row. */
function lastOf(block: Block, width: 1 | 4): number {
  return block.alongInner ? block.rows - 1 : block.columns - width;
}

/** What the choice of a kernel depends on. */
function caseOf({ a, b, images, heads, m, n, k, part }: Product): ProductCase {
  const [transposeA, transposeB] = [!a.alongInner, b.alongInner];
  return { batch: images * heads, m, n, k: part ?? k, transposeA, transposeB };
}

/**
 * Queues a product; it writes into `output`.
 *
 * @param kernel any of them: the bits are the same
 */
export function multiply(
  backend: WebGPUBackend,
  product: Product,
  kernel: ProductKernel = productKernel(caseOf(product)),
): void {
  const { a, b, c, m, n, k, part, heads, bias, scale = 1, output, ending, rowSums } = product;
  const [rows, columns] = tileOf(kernel);
  // Rows along the inner axis are read in fours only if the inner size is made of fours.
  const widthOf = (block: Block) => isAligned(block) && (!block.alongInner || k % 4 === 0) ? 4 : 1;
  const storesFours = n % 4 === 0 && [c.offset, c.row, c.image, c.head].every((x) => x % 4 === 0);
  const stored: 1 | 4 = storesFours ? 4 : 1;
  const variant: Variant = {
    alongInner: [a.alongInner, b.alongInner],
    width: [widthOf(a), widthOf(b), stored],
    half: [a.half ?? false, b.half ?? false],
    // Tiles are masked beyond k as they are read, whatever k is.
    ragged: !kernel.across && k % 4 !== 0,
    bias: bias !== undefined,
    ...ending ? { ending: kindOf(ending) } : {},
    ...rowSums ? { rowSums: true } : {},
  };
  const { reads, writes } = endingTensors(ending);
  if (rowSums && kernel.depth === 0) throw new RangeError(`${kernel.name} sums no rows`);
  const tiles = tilesOf(kernel, caseOf(product));
  const innerRows = [a, b].filter((block) => !block.alongInner).map((block) => block.rows);
  runProgram(
    backend,
    {
      key: `product ${kernel.name} ${JSON.stringify(variant)}`,
      inputs: ["A", "B", ...bias ? ["Bias"] : [], ...Object.keys(reads)],
      writes: [
        ...Object.keys(writes).map((name) => ({ name, width: stored })),
        ...rowSums ? [{ name: "RowSums", width: 1 as const }] : [],
      ],
      widths: [
        wordsOf(variant.width[0], variant.half[0]),
        wordsOf(variant.width[1], variant.half[1]),
        ...bias ? [stored] : [],
        ...Object.keys(reads).map(() => stored),
        stored,
      ],
      words: variant.half,
      workgroupSize: [kernel.lanes, 1, 1],
      workgroups: kernel.across ? cover(tiles, 1) : cover(tiles, kernel.lanes),
      outputShape: output.shape,
      code: () => (kernel.across ? tiledSource : registerSource)(kernel, variant),
      uniforms: [
        ...i32s({
          m,
          n,
          k,
          part: part ?? k,
          skip: part ?? 0,
          kLast: Math.min(k, ...innerRows) - 1,
          heads,
          tiles,
          rowTiles: Math.ceil(m / rows),
          columnTiles: Math.ceil(n / columns),
          aOffset: a.offset,
          aImage: a.image,
          aHead: a.head,
          aRow: a.row,
          aLast: lastOf(a, variant.width[0]),
          bOffset: b.offset,
          bImage: b.image,
          bHead: b.head,
          bRow: b.row,
          bLast: lastOf(b, variant.width[1]),
          cOffset: c.offset,
          cImage: c.image,
          cHead: c.head,
          cRow: c.row,
        }),
        { name: "scale", type: "f32", value: scale },
      ],
    },
    [a.info, b.info, ...bias ? [bias] : [], ...Object.values(reads)],
    output,
    [...Object.values(writes), ...rowSums ? [rowSums] : []],
  );
}
