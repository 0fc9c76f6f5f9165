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
  /** Cycles of a card's lane per inner index, where that was measured; see {@link costOnCard}. */
  readonly cycles: number;
}

function inRegisters(rows: number, columns: number, lanes: number): ProductKernel {
  const name = `registers ${rows}x${columns}, ${lanes} lanes`;
  return { name, rows, columns, lanes, across: 0, depth: 0, cycles: Infinity };
}

function tiled(
  [tileRows, tileColumns, depth]: readonly [number, number, number],
  [rows, columns]: readonly [number, number],
  cycles: number,
): ProductKernel {
  const [down, across] = [tileRows / rows, tileColumns / columns];
  const name = `tiles ${tileRows}x${tileColumns}x${depth}, ${rows}x${columns}`;
  return { name, rows, columns, lanes: down * across, across, depth, cycles };
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
  tiled([128, 128, 16], [8, 8], 142),
  tiled([128, 64, 16], [8, 8], 114),
  tiled([64, 128, 16], [8, 8], 124),
  tiled([64, 64, 16], [8, 8], 116),
  tiled([64, 64, 16], [8, 4], 71),
  tiled([64, 32, 16], [4, 4], 48),
  tiled([32, 64, 16], [4, 4], 48),
  tiled([32, 32, 16], [4, 4], 46),
  tiled([16, 32, 16], [4, 4], 66),
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
const PROCESSORS = 132;
const AT_ONCE = 128;
/** Tiles per multiprocessor from which on it matters no more that they do not come out even. */
const MANY = 4;

/**
 * Cycles that a product takes on a card: of the busiest multiprocessor, which is as slow with one lane
 * as with all of those that it computes at once. On an H200 this gives the times of sizes from 2080x128
 * to 6304x3072 within a fifth.
 */
function costOnCard(kernel: ProductKernel, size: ProductSize): number {
  const even = tilesOf(kernel, size) / PROCESSORS;
  const tiles = even > MANY ? even : Math.ceil(even);
  return Math.max(1, tiles * kernel.lanes / AT_ONCE) * size.k * kernel.cycles;
}

/**
 * The kernel that small products share, and the cycles (two microseconds) that another has to save to be
 * taken instead: a card's driver compiles a tenth of a second for each kernel and each ending.
 */
const SHARED = TILED.find(({ name }) => name === "tiles 32x32x16, 4x4")!;
const WORTH_COMPILING = 3600;

/** The kernel to take where none was measured, from those that suit the adapter's kind. */
export function estimatedKernel(size: ProductSize): ProductKernel {
  const cost = onCard() ? costOnCard : costOnCpu;
  const best = suitableKernels()
    .reduce((best, kernel) => cost(kernel, size) < cost(best, size) ? kernel : best);
  return onCard() && cost(SHARED, size) - cost(best, size) < WORTH_COMPILING ? SHARED : best;
}
