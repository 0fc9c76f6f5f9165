import {
  estimatedKernel,
  PRODUCT_KERNELS,
  type ProductKernel,
  type ProductSize,
  suitableKernels,
} from "../webgpu/product_kernels.ts";

/** A product as far as the choice of a kernel goes. */
export interface ProductCase extends ProductSize {
  /** a is stored [k, m]. */
  readonly transposeA: boolean;
  /** b is stored [n, k]. */
  readonly transposeB: boolean;
}

/** `8 x [65,32] [65,32]T`, as it is recorded. */
export function caseName({ batch, m, n, k, transposeA, transposeB }: ProductCase): string {
  const a = transposeA ? `[${k},${m}]T` : `[${m},${k}]`;
  const b = transposeB ? `[${n},${k}]T` : `[${k},${n}]`;
  return `${batch} x ${a} ${b}`;
}

/** The inverse of {@link caseName}; null where it is none. */
export function parseCase(name: string): ProductCase | null {
  const found = /^(\d{1,9}) x \[(\d{1,9}),(\d{1,9})\](T?) \[(\d{1,9}),(\d{1,9})\](T?)$/.exec(name);
  if (!found) return null;
  const [batch, a0, a1, b0, b1] = [1, 2, 3, 5, 6].map((i) => Number(found[i]));
  const [transposeA, transposeB] = [found[4] === "T", found[7] === "T"];
  const [m, k] = transposeA ? [a1, a0] : [a0, a1];
  const [n, inner] = transposeB ? [b0, b1] : [b1, b0];
  return inner === k ? { batch, m, n, k, transposeA, transposeB } : null;
}

/** Measured products ({@link caseName}) and the names of their fastest kernels. */
export type ProductChoice = Readonly<Record<string, string>>;

let measured: readonly (ProductCase & { kernel: ProductKernel })[] = [];
const known = new Map<string, ProductKernel>();
let watcher: ((product: ProductCase) => void) | null = null;

let choices = 0;

/** Changes whenever products may be computed by other kernels than before. */
export function choiceNumber(): number {
  return choices;
}

/** Lets every product from now on be computed as this choice says; unknown names are ignored. */
export function setProductChoice(choice: ProductChoice): void {
  known.clear();
  choices++;
  measured = Object.entries(choice).flatMap(([name, kernelName]) => {
    const kernel = PRODUCT_KERNELS.find((each) => each.name === kernelName);
    const product = parseCase(name);
    return kernel && product ? [{ ...product, kernel }] : [];
  });
}

/** Calls `watch` with every product that is queued from now on; null ends it. */
export function watchProducts(watch: ((product: ProductCase) => void) | null): void {
  watcher = watch;
}

/** How far two products are apart: the sum of the ratios of their sizes, in powers of two. */
function distance(a: ProductCase, b: ProductCase): number {
  const sizes = ["batch", "m", "n", "k"] as const;
  return sizes.reduce((sum, size) => sum + Math.abs(Math.log2(a[size] / b[size])), 0);
}

/** The product nearest to this one among those stored in the same way, if one is within `most`. */
export function nearest<T extends ProductCase>(
  product: ProductCase,
  others: readonly T[],
  most: number,
): T | undefined {
  let [found, least]: [T | undefined, number] = [undefined, most];
  for (const other of others) {
    if (other.transposeA !== product.transposeA || other.transposeB !== product.transposeB) {
      continue;
    }
    const apart = distance(other, product);
    if (apart < least || apart === least && found === undefined) [found, least] = [other, apart];
  }
  return found;
}

/** Farther apart than that, one product says nothing about the other. */
export const FAR = 6;

/**
 * The kernel for a product: of the measured one that is nearest to it, or the estimated one where none
 * is near; always one that suits the adapter's kind.
 */
export function productKernel(product: ProductCase): ProductKernel {
  watcher?.(product);
  const suitable = suitableKernels();
  const name = caseName(product);
  const found = known.get(name);
  if (found && suitable.includes(found)) return found;
  const tried = measured.filter(({ kernel }) => suitable.includes(kernel));
  const kernel = nearest(product, tried, FAR)?.kernel ?? estimatedKernel(product);
  known.set(name, kernel);
  return kernel;
}
