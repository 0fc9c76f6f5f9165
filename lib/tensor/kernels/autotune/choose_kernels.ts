import * as tf from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { Device } from "../../device.ts";
import { type KernelChoice, useKernels } from "./kernel_choice.ts";
import { isWorthMeasuring, measureProducts } from "./measure_products.ts";
import { keepMeasured, readMeasured } from "./measured_store.ts";
import {
  caseName,
  FAR,
  nearest,
  parseCase,
  type ProductCase,
  type ProductChoice,
  watchProducts,
} from "./product_choice.ts";

/** Products that close, in powers of two, share a measurement. */
const ALIKE = 2;

/** Seconds that a run measures for at most. */
const SECONDS = 2;

/** Cards whose estimates come from measurements of their like, so that a run need not measure. */
const KNOWN_CARD = /nvidia|geforce|tesla|quadro/i;

/** The choice of kernels during a run. */
export interface ChoosingKernels {
  /**
   * To be called when the run's first step is done: measures those of its products that were never
   * measured on this adapter, for so many seconds at most, and computes from then on with the fastest
   * kernels. Bits stay the same.
   */
  settle(): Promise<void>;
  /** What the run computes with; undefined where nothing was measured (WASM, small products, a card
   * whose estimates do). */
  readonly choice: KernelChoice | undefined;
}

/**
 * Chooses kernels for a run by measuring, once per adapter: Deno keeps what was measured for this
 * checkout (localStorage, which needs no permission).
 *
 * @param inherited the choice that the run's model was made with; it stands where it is of this adapter
 * @param onProduct called after each product that is measured
 * @param seconds to measure for at most; what is left is estimated, and measured by another run
 */
export function chooseKernels(
  device: Device,
  inherited?: KernelChoice,
  onProduct?: (done: number, total: number) => void,
  seconds = SECONDS,
): ChoosingKernels {
  const { adapter, backend, software } = device;
  useKernels(inherited);
  const needsNone = !software && KNOWN_CARD.test(adapter);
  if (backend !== "webgpu" || needsNone) {
    // What the model was made with stands, and goes on with it.
    const stands = backend === "webgpu" && inherited?.adapter === adapter;
    return { settle: () => Promise.resolve(), choice: stands ? inherited : undefined };
  }
  let products: ProductChoice = inherited?.adapter === adapter ? inherited.products : {};
  const seen = new Map<string, ProductCase>();
  watchProducts((product) => {
    if (isWorthMeasuring(product)) seen.set(caseName(product), product);
  });
  return {
    async settle() {
      watchProducts(null);
      const known = { ...readMeasured()[adapter], ...products };
      const cases = Object.keys(known).flatMap((name) => parseCase(name) ?? []);
      const missing: ProductCase[] = [];
      for (const product of seen.values()) {
        if (!nearest(product, [...cases, ...missing], ALIKE)) missing.push(product);
      }
      const measured = await measureProducts(
        tf.backend() as WebGPUBackend,
        missing,
        seconds,
        (done) => onProduct?.(done, missing.length),
      );
      if (missing.length > 0) keepMeasured({ [adapter]: measured });
      // Of all that is known, what this run computes with: its record says what it did.
      const all = { ...measured, ...known };
      const used = [...seen.values()].flatMap((product) =>
        nearest(product, [...cases, ...missing], FAR) ?? []
      ).map(caseName).filter((name) => name in all);
      products = { ...Object.fromEntries(used.map((name) => [name, all[name]])), ...products };
      useKernels({ adapter, products });
    },
    get choice() {
      if (Object.keys(products).length === 0) return undefined;
      const sorted = Object.entries(products).sort(([a], [b]) => a < b ? -1 : 1);
      return { adapter, products: Object.fromEntries(sorted) };
    },
  };
}
