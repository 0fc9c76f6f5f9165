import type { WeightChange } from "../model/weight_change.ts";
import type { StepVerdict } from "../unlearn/judge_step.ts";
import type { MethodName } from "../unlearn/methods.ts";
import type { RowKey } from "../model/kit/sealed_row.ts";
import type { UnlearnedFromKit } from "../unlearn/unlearn_from_kit.ts";

/** A request by its file and the embedding row that its person has in the kit. */
export interface RequestedRow {
  /** The image's name within the folder of requests. */
  readonly file: string;
  readonly row: number;
  /** Opens what the kit remembers of the person; for methods that need it. */
  readonly key?: RowKey;
}

/** `summary.json`. It names nobody and holds no pixel. */
export interface UnlearnSummary {
  /** How many. */
  readonly people: number;
  /** Photographs of them that were used; the same picture twice counts once. */
  readonly photographs: number;
  /** How to unlearn. */
  readonly method: MethodName;
  /** What was taken in one go, in order. */
  readonly steps: UnlearnedFromKit["steps"];
  /** Every setting of the method as it was used. */
  readonly settings: Readonly<Record<string, number>>;
  /** How far the farthest photograph is from its person, and how far one may be; null: not checked. */
  readonly match?: { readonly farthest: number; readonly distance: number } | null;
  /** SSD or PGU used statistics from before an earlier request. */
  readonly staleStatistics: boolean;
  /** How far the weights moved, and whether that is what simulated requests showed. */
  readonly change: WeightChange & StepVerdict;
  /** Where the support images' labels came from. */
  readonly targets: "requests.csv" | "the model's own predictions";
  /** What computes. */
  readonly device: string;
  /** Ids of the kit that was used and of the next. */
  readonly kit: { readonly before: string; readonly after: string };
  /** SHA-256 of model.safetensors. */
  readonly weights: { readonly before: string; readonly after: string };
}
