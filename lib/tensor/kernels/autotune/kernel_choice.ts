import { openedDevice } from "../../device.ts";
import { type ProductChoice, setProductChoice } from "./product_choice.ts";

/** Which kernels an adapter computed with: part of what a run writes, so that it can be repeated. */
export interface KernelChoice {
  /** As the device calls itself. */
  readonly adapter: string;
  /** Which kernel takes which size. */
  readonly products: ProductChoice;
}

/** Computes from now on as the choice says, if it was made on the adapter in use; else as estimated. */
export function useKernels(choice: KernelChoice | undefined): void {
  setProductChoice(choice?.adapter === openedDevice()?.adapter ? choice?.products ?? {} : {});
}
