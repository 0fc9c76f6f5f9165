import type { Bin } from "../measure/feature_distance.ts";
import type { MembershipAttack } from "../measure/membership.ts";
import type { PersonMetrics } from "../measure/people.ts";
import type { PartMetrics } from "../measure/eq7_tug_of_war.ts";
import type { ForgettingVerdict } from "../measure/verdict.ts";
import type { GridSettings } from "./settings.ts";

/**
 * `results.json` of a benchmark: all that its tables and its report are made of. Metrics, rates and
 * Tug-of-War are fractions, losses nats, distances Euclidean in the original model's feature space.
 * It names identities and image files, so it is as private as the data set.
 */
export interface BenchmarkResults {
  /** Of this form. */
  readonly version: 1;
  /** What the benchmark was told. */
  readonly settings: GridSettings;
  /** The adapter that computed it. */
  readonly device: string;
  /** Cells planned; `cells` has those that are measured. */
  readonly planned: number;
  /** One per data set, number of people and seed. */
  readonly splits: readonly SplitResult[];
  /** The original model comes first, as the method `Pretrain`. */
  readonly cells: readonly CellResult[];
  /** Means over seeds; one row per data set, number of people and method. */
  readonly summary: readonly SummaryRow[];
  /** Figures 4 to 6. */
  readonly analyses: readonly Analysis[];
  /** Empty unless the settings ask for a sequence. */
  readonly sequences: readonly SequenceResult[];
}

/** Which split a result is of. */
export interface SplitName {
  /** The data set's folder. */
  readonly data: string;
  /** Number of people to forget. */
  readonly forget: number;
  /** Of all that is drawn. */
  readonly seed: number;
}

/** What all methods of a split share: the retrained model and the people. */
export interface SplitResult extends SplitName {
  /** Images of each part. */
  readonly images: PartMetrics & { readonly val: number };
  /** Loss of each image, nats. */
  readonly retrained: PartMetrics;
  /** The people to forget, by the split's order. */
  readonly forgotten: readonly ForgottenPerson[];
  /** The people who stay. */
  readonly retained: readonly RetainedPerson[];
}

/** A person to forget, before any method. */
export interface ForgottenPerson {
  /** Whom it is about. */
  readonly identity: string;
  /** The support image, a file of the data set. */
  readonly support: string;
  /** The images to forget. */
  readonly files: readonly string[];
  /** Between the support image and the centroid of the images to forget (Fig. 4). */
  readonly supportDistance: number;
  /** Under the original model. */
  readonly original: PersonMetrics;
  /** Loss of each image, nats. */
  readonly retrained: PersonMetrics;
}

/** A person who stays, before any method. */
export interface RetainedPerson {
  /** Whom it is about. */
  readonly identity: string;
  /** The forgotten person with the nearest centroid, and how far that is (Fig. 5). */
  readonly nearest: string;
  /** d of Eq. 5. */
  readonly distance: number;
  /** Under the original model. */
  readonly original: PersonMetrics;
}

/** One method on one split. */
export interface CellResult extends SplitName {
  /** How to unlearn. */
  readonly method: string;
  /** Seconds that unlearning took, in all of its steps; null for Pretrain. */
  readonly seconds: number | null;
  /** The adapters that computed it and what it is made of, where that is known; one on one machine. */
  readonly adapters?: readonly string[];
  /** Settings that simulated requests chose, or published ones; absent for Pretrain and MetaUnlearn. */
  readonly settings?: Readonly<Record<string, number>>;
  /** mAP or accuracy by part, fractions. */
  readonly metrics: PartMetrics;
  /** Mean task loss by part, nats. */
  readonly losses: PartMetrics;
  /** Eq. 7. */
  readonly tugOfWar: number;
  /** RMIA; the reference is the retrained model after the same method. */
  readonly membership: MembershipAttack;
  /** In a word. */
  readonly verdict: ForgettingVerdict;
  /** In the order of the split's `forgotten`. */
  readonly forgotten: readonly ForgottenOutcome[];
  /** In the order of the split's `retained`. */
  readonly retained: readonly PersonMetrics[];
}

/** What a method did to a person to forget. */
export interface ForgottenOutcome extends PersonMetrics {
  /** Mean RMIA score of the person's images. */
  readonly score: number;
  /** In a word. */
  readonly verdict: ForgettingVerdict;
}

/** A method's stream of requests on one split, each served from the kit that the last one left. */
export interface SequenceResult extends SplitName {
  /** How to unlearn. */
  readonly method: string;
  /** What was taken in one go, in order. */
  readonly steps: readonly SequenceStep[];
}

/** After a request of a stream. */
export interface SequenceStep {
  /** Forgotten so far. */
  readonly people: number;
  /** `forget`: the images of those forgotten so far. */
  readonly metrics: PartMetrics;
  /** The metric of those who are to be forgotten later; null at the end. */
  readonly waiting: number | null;
  /** The model retrained without all of them, on the same images; the difference is the drift. */
  readonly retrained: PartMetrics;
  /** Eq. 7, of `metrics` against `retrained`. */
  readonly tugOfWar: number;
}

/** A mean over seeds and its standard deviation (n - 1); null with one seed. */
export interface MeanAndDeviation {
  /** Over seeds. */
  readonly mean: number;
  /** Over seeds; null for one. */
  readonly deviation: number | null;
}

/** A row of Tables 1 to 4. */
export interface SummaryRow {
  /** The data set's folder. */
  readonly data: string;
  /** Of the people to forget. */
  readonly forget: number;
  /** How to unlearn. */
  readonly method: string;
  /** Seeds measured. */
  readonly seeds: number;
  /** Of the people who stay. */
  readonly retain: MeanAndDeviation;
  /** On the images to forget. */
  readonly forgetMetric: MeanAndDeviation;
  /** Of people never trained on. */
  readonly test: MeanAndDeviation;
  /** Null for Retrain, which the others are held against. */
  readonly tugOfWar: MeanAndDeviation | null;
  /** TPR at 0.01 % FPR, and at the smallest FPR that the non-members resolve. */
  readonly tpr: MeanAndDeviation | null;
  /** Whether there are enough strangers for the paper's rate. */
  readonly tprResolved: boolean;
  /** At the smallest false positive rate that is resolved; null where nothing is. */
  readonly smallest: { readonly fpr: number; readonly tpr: MeanAndDeviation } | null;
  /** Area under the ROC curve. */
  readonly auc: MeanAndDeviation | null;
  /** Verdicts over the seeds. */
  readonly verdicts: Readonly<Record<string, number>>;
}

/** Figures 4 to 6 for one data set and number of people. */
export interface Analysis {
  /** The data set's folder. */
  readonly data: string;
  /** Of the people to forget. */
  readonly forget: number;
  /** The methods that figures 4 and 5 are means of: the three with the highest Tug-of-War. */
  readonly methods: readonly string[];
  /** Fig. 4: metric after unlearning minus retrained's on people's forget images, by support distance. */
  readonly hardness: readonly Bin[];
  /** Fig. 5: original metric minus the unlearned one's on retained people, by distance. */
  readonly retainDrop: readonly Bin[];
  /** Fig. 6: the five people with the largest support distance, over all seeds. */
  readonly hardest: readonly {
    readonly seed: number;
    readonly identity: string;
    readonly supportDistance: number;
    readonly support: string;
    readonly files: readonly string[];
  }[];
}
