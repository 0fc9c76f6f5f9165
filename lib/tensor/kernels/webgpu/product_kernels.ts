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
}

function inRegisters(rows: number, columns: number, lanes: number): ProductKernel {
  return { name: `registers ${rows}x${columns}, ${lanes} lanes`, rows, columns, lanes, across: 0 };
}

function shared(rows: number, columns: number, down: number, across: number): ProductKernel {
  const [lanes, tile] = [down * across, `${rows * down}x${columns * across}`];
  return { name: `shared ${tile}, ${lanes} lanes`, rows, columns, lanes, across };
}

/**
 * All of them; which one is fastest depends on the adapter and on the sizes.
 *
 * On a software adapter (lavapipe) a lane's load costs as much as about forty multiply-adds, wherever
 * it points, and workgroup memory costs no less: large tiles in registers and few lanes win. A card
 * hides loads behind many lanes with few registers each, and its workgroup memory is fast.
 */
export const PRODUCT_KERNELS: readonly ProductKernel[] = [
  inRegisters(16, 16, 8),
  inRegisters(16, 8, 8),
  inRegisters(8, 8, 8),
  inRegisters(4, 4, 8),
  inRegisters(8, 8, 64),
  inRegisters(4, 4, 64),
  shared(8, 8, 8, 8),
  shared(4, 4, 16, 16),
  shared(4, 4, 8, 8),
];

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
/** Workgroups below which cores stand idle. */
const ENOUGH_GROUPS = 4;

/**
 * The kernel to take where none was measured: the least multiply-adds, loads and stores, weighted as
 * on lavapipe, among those in registers.
 */
export function estimatedKernel(size: ProductSize): ProductKernel {
  const cost = (kernel: ProductKernel) => {
    const { rows, columns, lanes } = kernel;
    const groups = Math.max(ENOUGH_GROUPS, Math.ceil(tilesOf(kernel, size) / lanes));
    const elements = rows * columns;
    return groups * lanes * (size.k * (elements + 10 * (rows + columns)) + PER_ELEMENT * elements);
  };
  return PRODUCT_KERNELS.filter(({ across }) => across === 0)
    .reduce((best, kernel) => cost(kernel) < cost(best) ? kernel : best);
}
