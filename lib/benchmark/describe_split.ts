import { nearestForgotten, supportDistances } from "../measure/feature_distance.ts";
import { definedMetric } from "../measure/evaluation.ts";
import { samplesOf } from "../data/split.ts";
import type { SplitData } from "../run/split_data.ts";
import { type MeasuredPart, measuredPart } from "./predictions/measured_part.ts";
import type { PredictedPart } from "./predictions/parts.ts";
import type { PredictionRows } from "./predictions/read_predictions.ts";
import type { SplitName, SplitResult } from "./results.ts";

/** A split's result without its place in the grid. */
export type SplitDescription = Omit<SplitResult, keyof SplitName>;

/**
 * What all methods of a split share: the retrained model's metrics, and of every person of the training
 * part how the original and the retrained model do and how far they are from what is forgotten.
 *
 * @param original of retain, forget and support, with features
 * @param retrained of retain, forget and test
 */
export function describeSplit(
  data: SplitData,
  original: PredictionRows,
  retrained: PredictionRows,
): SplitDescription {
  const [retain, forget, test, val, support] = ["retain", "forget", "test", "val", "support"]
    .map((part) => measuredPart(data, part as PredictedPart));
  const dim = original("support", "features").length / support.length;
  const featured = (part: PredictedPart, { identities, pieces }: MeasuredPart) => ({
    identities,
    features: () => pieces(original(part, "features")),
  });
  const distances = supportDistances(
    featured("support", support),
    featured("forget", forget),
    dim,
  );
  const nearest = nearestForgotten(featured("retain", retain), featured("forget", forget), dim);
  const each = (rows: PredictionRows, part: "retain" | "forget") =>
    (part === "retain" ? retain : forget).people(rows(part, "logits"));
  const [before, oracle] = [each(original, "forget"), each(retrained, "forget")];
  const metric = (part: PredictedPart, images: MeasuredPart) =>
    definedMetric(images.evaluate(retrained(part, "logits")), part);
  const files = samplesOf(data.split, data.dataset, "forget").map(({ file }) => file);
  return {
    images: {
      retain: retain.length,
      forget: forget.length,
      test: test.length,
      val: val.length,
    },
    retrained: {
      retain: metric("retain", retain),
      forget: metric("forget", forget),
      test: metric("test", test),
    },
    forgotten: data.split.identities.forget.map((identity) => ({
      identity,
      support: data.split.support[identity],
      files: files.filter((_, i) => forget.identities[i] === identity),
      supportDistance: distances.get(identity)!,
      original: before.get(identity)!,
      retrained: oracle.get(identity)!,
    })),
    retained: [...each(original, "retain")].map(([identity, metrics]) => ({
      identity,
      ...nearest.get(identity)!,
      original: metrics,
    })),
  };
}
