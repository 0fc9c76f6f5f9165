/** How far a long run has come; called often, so it must be cheap. */
export type OnProgress = (event: ProgressEvent) => void;

/** One step forward. */
export interface ProgressEvent {
  /** What is being done: `load images`, `train`, `validate`, .. */
  readonly stage: string;
  /** Units done and in all (images, people); a new stage starts from 0. */
  readonly done: number;
  /** All of it. */
  readonly total: number;
  /** What is counted. */
  readonly unit: string;
  /** Something worth a glance: `epoch 3/30, loss 0.412`. */
  readonly note?: string;
}

/** Tells of products whose kernels are measured. */
export function kernelProgress(
  onProgress?: OnProgress,
): (done: number, total: number) => void {
  return (done, total) =>
    onProgress?.({ stage: "measure kernels, once per adapter", done, total, unit: "products" });
}
