import { nearestForgotten, supportDistances } from "../measure/feature_distance.ts";
import { definedMetric, evaluation } from "../measure/evaluation.ts";
import { perPerson } from "../measure/people.ts";
import type { SplitData } from "../run/split_data.ts";
import { partImages, type PredictedPart, type PredictionRows } from "./predictions.ts";
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
  const { task, labels } = data.dataset;
  const [retain, forget, test, val, support] = ["retain", "forget", "test", "val", "support"]
    .map((part) => partImages(data, part as PredictedPart));
  const dim = original("support", "features").length / support.identities.length;
  const featured = (part: PredictedPart, { identities }: { identities: readonly string[] }) => ({
    identities,
    features: original(part, "features"),
  });
  const distances = supportDistances(
    featured("support", support),
    featured("forget", forget),
    dim,
  );
  const nearest = nearestForgotten(featured("retain", retain), featured("forget", forget), dim);
  const each = (rows: PredictionRows, part: "retain" | "forget") =>
    perPerson(
      task,
      { ...(part === "retain" ? retain : forget), logits: rows(part, "logits") },
      labels.length,
    );
  const [before, oracle] = [each(original, "forget"), each(retrained, "forget")];
  const metric = (part: PredictedPart, targets: Float32Array) =>
    definedMetric(evaluation(task, retrained(part, "logits"), targets, labels), part);
  return {
    images: {
      retain: retain.files.length,
      forget: forget.files.length,
      test: test.files.length,
      val: val.files.length,
    },
    retrained: {
      retain: metric("retain", retain.targets),
      forget: metric("forget", forget.targets),
      test: metric("test", test.targets),
    },
    forgotten: data.split.identities.forget.map((identity) => ({
      identity,
      support: data.split.support[identity],
      files: forget.files.filter((_, i) => forget.identities[i] === identity),
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
