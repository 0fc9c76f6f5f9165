import { definedMetric, type MEASURED_PARTS } from "../measure/evaluation.ts";
import { membershipAttack } from "../measure/membership.ts";
import { tugOfWar } from "../measure/eq7_tug_of_war.ts";
import { forgettingVerdict } from "../measure/verdict.ts";
import type { SplitData } from "../run/split_data.ts";
import { Random } from "../random.ts";
import { measuredPart } from "./predictions/measured_part.ts";
import type { PredictedPart } from "./predictions/parts.ts";
import type { PredictionRows } from "./predictions/read_predictions.ts";
import type { CellResult, SplitName } from "./results.ts";
import type { MeasureSettings } from "./settings.ts";

/** A cell's result without its place in the grid. */
export type Measurement = Omit<CellResult, keyof SplitName | "method" | "settings">;

/** Logits of a part's images by the three models that a cell compares. */
export interface CellPredictions {
  /** theta_u. */
  readonly unlearned: PredictionRows;
  /** The retrained model. */
  readonly retrained: PredictionRows;
  /** The retrained model after the same method: RMIA's reference. */
  readonly reference: PredictionRows;
  readonly seconds: number | null;
}

/**
 * Measures one method on one split, on the host: metrics and Tug-of-War, RMIA, the verdict, and what
 * became of each person.
 */
export function measureCell(
  data: SplitData,
  { unlearned, retrained, reference, seconds }: CellPredictions,
  { rmia, draws }: MeasureSettings,
  seed: number,
): Measurement {
  const parts = Object.fromEntries(
    (["retain", "forget", "test", "val"] as const).map((part) => [part, measuredPart(data, part)]),
  );
  const evaluate = (rows: PredictionRows, part: PredictedPart) =>
    parts[part].evaluate(rows(part, "logits"));
  const three = <T>(of: (part: typeof MEASURED_PARTS[number]) => T) => ({
    retain: of("retain"),
    forget: of("forget"),
    test: of("test"),
  });
  const after = three((part) => evaluate(unlearned, part));
  const metrics = three((part) => definedMetric(after[part], part));
  const oracle = three((part) => definedMetric(evaluate(retrained, part), part));

  const losses = (rows: PredictionRows, part: PredictedPart) =>
    parts[part].losses(rows(part, "logits"));
  const attacked = (part: PredictedPart) => ({
    identities: parts[part].identities,
    target: losses(unlearned, part),
    reference: losses(reference, part),
  });
  const compared = (part: PredictedPart) => ({
    identities: parts[part].identities,
    unlearned: losses(unlearned, part),
    retrained: losses(retrained, part),
  });
  const random = new Random(seed, "measure");
  const membership = membershipAttack(attacked("forget"), attacked("test"), attacked("val"), {
    random: random.fork("membership"),
    rmia,
    draws,
  });
  const [forgotten, unseen] = [compared("forget"), compared("test")];
  const people = parts.forget.people(unlearned("forget", "logits"));
  const positionsOf = (identity: string) =>
    parts.forget.identities.flatMap((other, i) => other === identity ? [i] : []);
  return {
    seconds,
    metrics,
    losses: three((part) => after[part].loss),
    tugOfWar: tugOfWar(metrics, oracle),
    membership,
    verdict: forgettingVerdict(forgotten, unseen, { random: random.fork("verdict"), draws }),
    forgotten: data.split.identities.forget.map((identity) => {
      const own = positionsOf(identity);
      const alone = {
        identities: own.map(() => identity),
        unlearned: own.map((i) => forgotten.unlearned[i]),
        retrained: own.map((i) => forgotten.retrained[i]),
      };
      return {
        ...people.get(identity)!,
        score: own.reduce((sum, i) => sum + membership.scores.members[i], 0) / own.length,
        verdict: forgettingVerdict(alone, unseen, {
          random: random.fork(`verdict ${identity}`),
          draws: Math.min(draws, PERSON_DRAWS),
        }),
      };
    }),
    retained: [...parts.retain.people(unlearned("retain", "logits")).values()],
  };
}

/** Resamples for one person's interval; the test itself takes every relabelling. */
const PERSON_DRAWS = 200;
