/** The parts that a cell is measured on. */
export const PREDICTED_PARTS = ["retain", "forget", "test", "val"] as const;
/** One of {@link PREDICTED_PARTS}, or the support images. */
export type PredictedPart = typeof PREDICTED_PARTS[number] | "support";

/** Where a folder of predictions keeps its rows. */
export const PREDICTIONS_FILE = "predictions.safetensors";
