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

/** The choice of kernels during a run. */
export interface ChoosingKernels {
  /**
   * To be called when the run's first step is done: measures those of its products that were never
   * measured on this adapter, and computes from then on with the fastest kernels. Bits stay the same.
   */
  settle(): Promise<void>;
  /** What the run computes with; undefined where there is no choice (WASM, small products). */
  readonly choice: KernelChoice | undefined;
}

/**
 * Chooses kernels for a run by measuring, once per adapter: Deno keeps what was measured for this
 * checkout (localStorage, which needs no permission).
 *
 * @param inherited the choice that the run's model was made with; it stands where it is of this adapter
 * @param onProduct called after each product that is measured
 */
export function chooseKernels(
  device: Device,
  inherited?: KernelChoice,
  onProduct?: (done: number, total: number) => void,
): ChoosingKernels {
  const { adapter, backend } = device;
  useKernels(inherited);
  if (backend !== "webgpu") return { settle: () => Promise.resolve(), choice: undefined };
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
        (done) => onProduct?.(done, missing.length),
      );
      if (missing.length > 0) keepMeasured({ [adapter]: measured });
      // Of all that is known, what this run computes with: its record says what it did.
      const all = { ...measured, ...known };
      const used = [...seen.values()].flatMap((product) =>
        nearest(product, [...cases, ...missing], FAR) ?? []
      ).map(caseName);
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
