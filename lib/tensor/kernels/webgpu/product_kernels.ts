import { onCard } from "./card.ts";

/**
 * A way to compute a product, one of several that give the same bits: every element is the sum over
 * the inner index in ascending order, one fused multiply-add after the other.
 */
export interface ProductKernel {
  /** As it is recorded: `registers 16x16, 8 lanes`. */
  readonly name: string;
  /** Of the tile that one invocation computes in registers. */
  readonly rows: number;
  readonly columns: number;
  /** Invocations per workgroup. */
  readonly lanes: number;
  /**
   * Lanes side by side whose tiles make one large tile, read once for all through workgroup memory;
   * 0 where every lane reads for itself, and tiles in a group need not belong together.
   */
  readonly across: number;
  /** Inner indices that lie in workgroup memory at a time; 0 where none do. */
  readonly depth: number;
}

function inRegisters(rows: number, columns: number, lanes: number): ProductKernel {
  const name = `registers ${rows}x${columns}, ${lanes} lanes`;
  return { name, rows, columns, lanes, across: 0, depth: 0 };
}

function tiled(
  [tileRows, tileColumns, depth]: readonly [number, number, number],
  rows: number,
  columns: number,
): ProductKernel {
  const [down, across] = [tileRows / rows, tileColumns / columns];
  const name = `tiles ${tileRows}x${tileColumns}x${depth}, ${rows}x${columns}`;
  return { name, rows, columns, lanes: down * across, across, depth };
}

/**
 * All of them; which one is fastest depends on the adapter and on the sizes.
 *
 * On a software adapter (lavapipe) a lane's load costs as much as about forty multiply-adds, wherever
 * it points, and workgroup memory costs no less: large tiles in registers and few lanes win. A card
 * hides loads behind many lanes, and its workgroup memory is fast.
 */
const IN_REGISTERS: readonly ProductKernel[] = [
  inRegisters(16, 16, 8),
  inRegisters(16, 8, 8),
  inRegisters(8, 8, 8),
  inRegisters(4, 4, 8),
  inRegisters(8, 8, 64),
  inRegisters(4, 4, 64),
];

const TILED: readonly ProductKernel[] = [
  tiled([128, 128, 16], 8, 8),
  tiled([128, 64, 16], 8, 8),
  tiled([64, 128, 16], 8, 8),
  tiled([64, 64, 16], 8, 8),
  tiled([64, 64, 16], 8, 4),
  tiled([64, 32, 16], 4, 4),
  tiled([32, 64, 16], 4, 4),
  tiled([32, 32, 16], 4, 4),
  tiled([16, 32, 16], 4, 4),
];

/** All kernels, of adapters of either kind. */
export const PRODUCT_KERNELS: readonly ProductKernel[] = [...IN_REGISTERS, ...TILED];

/** Those that suit the kind of adapter in use. */
export function suitableKernels(): readonly ProductKernel[] {
  return onCard() ? TILED : IN_REGISTERS;
}

/** The sizes of a product that a choice depends on. */
export interface ProductSize {
  /** Matrices in the batch: images x heads, or parts of a sum. */
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  /** Inner size; of one part where a sum is split. */
  readonly k: number;
}

/** Rows and columns of the result that are computed together. */
export function tileOf({ rows, columns, lanes, across }: ProductKernel): [number, number] {
  return across ? [rows * lanes / across, columns * across] : [rows, columns];
}

/** Tiles that cover the results of a product. */
export function tilesOf(kernel: ProductKernel, { batch, m, n }: ProductSize): number {
  const [rows, columns] = tileOf(kernel);
  return batch * Math.ceil(m / rows) * Math.ceil(n / columns);
}

/** What it takes to begin and store one element, in multiply-adds: decides where sums are short. */
const PER_ELEMENT = 300;
/** Workgroups below which cores of a CPU stand idle. */
const ENOUGH_GROUPS = 4;

/** Multiply-adds, loads and stores of a product on lavapipe, in multiply-adds. */
function costOnCpu(kernel: ProductKernel, size: ProductSize): number {
  const { rows, columns, lanes } = kernel;
  const groups = Math.max(ENOUGH_GROUPS, Math.ceil(tilesOf(kernel, size) / lanes));
  const elements = rows * columns;
  return groups * lanes * (size.k * (elements + 10 * (rows + columns)) + PER_ELEMENT * elements);
}

/** Multiprocessors that a card is taken to have, and lanes that one computes at once. */
const PROCESSORS = 128;
const AT_ONCE = 128;
/** Lanes on a multiprocessor below which it waits for memory. */
const ENOUGH_LANES = 512;
/** Steps of the inner index that a workgroup's beginning and end take the time of. */
const PER_TILE = 24;

/** Time of a product on a card, in multiply-adds of one lane: the busiest multiprocessor's. */
function costOnCard(kernel: ProductKernel, size: ProductSize): number {
  const { rows, columns, lanes } = kernel;
  const groups = Math.ceil(tilesOf(kernel, size) / PROCESSORS);
  const busy = Math.max(groups * lanes, ENOUGH_LANES) / AT_ONCE;
  return busy * (size.k + PER_TILE) * (rows * columns + 2 * (rows + columns));
}

/** The kernel to take where none was measured, from those that suit the adapter's kind. */
export function estimatedKernel(size: ProductSize): ProductKernel {
  const cost = onCard() ? costOnCard : costOnCpu;
  return suitableKernels()
    .reduce((best, kernel) => cost(kernel, size) < cost(best, size) ? kernel : best);
}
