import { LIBRARY_PATH } from "../sandbox/driver_folders.ts";
import type { Receipt } from "./receipt.ts";

/**
 * What a run's operator has stated, switched off or brought along, in words: each is less than a run shows without it. A
 * receipt that has one verifies all the same. Why a kit was used again stands in the receipt alone: it is free
 * text, and may be about somebody else than whoever reads this.
 */
export function statedLimits(
  { settings, change, worker }: Pick<Receipt, "settings" | "change" | "worker">,
): string[] {
  const { allowTrainingPhoto, branchReason, matchCheck } = settings;
  return [
    ...(allowTrainingPhoto === true ? ["a photograph that the model was trained on was read"] : []),
    ...(branchReason === undefined ? [] : [
      "the kit had been used before, and whom its other requests forgot is not forgotten here",
    ]),
    ...(matchCheck === false
      ? ["the photographs were not held against the people whom they are said to show"]
      : []),
    ...(worker.environment[LIBRARY_PATH] === undefined
      ? []
      : ["drivers came from a folder of the user's own, and what lay there ran in the worker"]),
    ...(change?.unusual === true ? ["the step was of a length that is not usual"] : []),
  ];
}
