import { RETRAIN } from "./plan.ts";
import type {
  CellResult,
  MeanAndDeviation,
  SequenceResult,
  SequenceStep,
  SplitResult,
  SummaryRow,
} from "./results.ts";

/** Mean and sample standard deviation; at least one value. */
export function meanAndDeviation(values: readonly number[]): MeanAndDeviation {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean, deviation: null };
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(square / (values.length - 1)) };
}

/** Rows of Tables 1 to 4: means over seeds, per data set, number of people and method; Retrain second. */
export function summarise(
  splits: readonly SplitResult[],
  cells: readonly CellResult[],
): SummaryRow[] {
  const groups = Map.groupBy(cells, ({ data, forget }) => JSON.stringify([data, forget]));
  return [...groups.values()].flatMap((group) => {
    const { data, forget } = group[0];
    const oracles = splits.filter((split) => split.data === data && split.forget === forget);
    const [first, ...others] = Map.groupBy(group, ({ method }) => method).values()
      .map((own) => rowOf(own)).toArray();
    return [first, ...oracles.length > 0 ? [retrainRow(oracles)] : [], ...others];
  });
}

function rowOf(cells: readonly CellResult[]): SummaryRow {
  const { data, forget, method, membership } = cells[0];
  const over = (of: (cell: CellResult) => number) => meanAndDeviation(cells.map(of));
  const verdicts: Record<string, number> = {};
  for (const { verdict: { verdict } } of cells) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  return {
    data,
    forget,
    method,
    seeds: cells.length,
    retain: over(({ metrics }) => metrics.retain),
    forgetMetric: over(({ metrics }) => metrics.forget),
    test: over(({ metrics }) => metrics.test),
    tugOfWar: over(({ tugOfWar }) => tugOfWar),
    tpr: over(({ membership }) => membership.tpr.tpr),
    tprResolved: cells.every(({ membership }) => membership.tpr.resolved),
    smallest: {
      fpr: membership.tpr.smallest.fpr,
      tpr: over(({ membership }) => membership.tpr.smallest.tpr),
    },
    auc: over(({ membership }) => membership.auc),
    verdicts,
  };
}

function retrainRow(splits: readonly SplitResult[]): SummaryRow {
  const over = (of: (split: SplitResult) => number) => meanAndDeviation(splits.map(of));
  return {
    data: splits[0].data,
    forget: splits[0].forget,
    method: RETRAIN,
    seeds: splits.length,
    retain: over(({ retrained }) => retrained.retain),
    forgetMetric: over(({ retrained }) => retrained.forget),
    test: over(({ retrained }) => retrained.test),
    tugOfWar: null,
    tpr: null,
    tprResolved: false,
    smallest: null,
    auc: null,
    verdicts: {},
  };
}

/** A stream of requests, as means over seeds. */
export interface SequenceSummary {
  readonly data: string;
  readonly forget: number;
  readonly method: string;
  /** After each request. */
  readonly steps: readonly {
    /** Forgotten so far. */
    readonly people: number;
    readonly retain: MeanAndDeviation;
    readonly forget: MeanAndDeviation;
    readonly test: MeanAndDeviation;
    /** Of those to be forgotten later; null when nobody is left. */
    readonly waiting: MeanAndDeviation | null;
    readonly tugOfWar: MeanAndDeviation;
  }[];
}

/** Streams of requests over seeds, per data set, number of people and method. */
export function summariseSequences(sequences: readonly SequenceResult[]): SequenceSummary[] {
  const groups = Map.groupBy(
    sequences,
    ({ data, forget, method }) => JSON.stringify([data, forget, method]),
  );
  return [...groups.values()].map((own) => {
    const [{ data, forget, method, steps }] = own;
    return {
      data,
      forget,
      method,
      steps: steps.map(({ people, waiting }, i) => {
        // Streams of one grid have as many requests each; those of a spliced file may not.
        const here = own.flatMap(({ steps }) => steps[i] ?? []);
        const over = (of: (step: SequenceStep) => number) => meanAndDeviation(here.map(of));
        return {
          people,
          retain: over(({ metrics }) => metrics.retain),
          forget: over(({ metrics }) => metrics.forget),
          test: over(({ metrics }) => metrics.test),
          waiting: waiting === null ? null : over(({ waiting }) => waiting ?? NaN),
          tugOfWar: over(({ tugOfWar }) => tugOfWar),
        };
      }),
    };
  });
}
