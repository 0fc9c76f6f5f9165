/** What a model learns: independent yes/no labels (BCE, mAP) or one of several classes (CE, accuracy). */
export type Task = "multi-label" | "classes";

/** One image of a data set. */
export interface Sample {
  /** Path relative to the data set's root, with forward slashes. Unique within the data set. */
  readonly file: string;
  /** The person (or object) it shows, as the data set's own key. */
  readonly identity: string;
  /** `multi-label`: one 0 or 1 per label. `classes`: a single element, the class index. */
  readonly targets: readonly number[];
  /** Writes the targets into a row of zeros: 0 or 1 per label, or one-hot; makes no list of them. */
  writeTargets?(rows: Float32Array | Uint8Array, at: number): void;
  /** Its place among the data set's samples, where the data set was opened by an index. */
  readonly row?: number;
}

/**
 * Samples in their order: an array of them, or columns that make one when it is looked at. As objects,
 * those of a large data set alone would take tens of megabytes.
 */
export interface Samples extends Iterable<Sample> {
  /** How many. */
  readonly length: number;
  /** One of them; undefined beyond the last one. */
  at(index: number): Sample | undefined;
  /** As an array's. */
  map<T>(of: (sample: Sample, index: number) => T): T[];
  /** As an array's. */
  filter(wanted: (sample: Sample) => boolean): Samples;
  /** As an array's. */
  forEach(visit: (sample: Sample, index: number) => void): void;
}

/** Names of the layouts that Lethe reads. */
export const DATASET_NAMES = ["celeba", "celebahq", "mufac", "folder"] as const;
/** One of {@link DATASET_NAMES}. */
export type DatasetName = typeof DATASET_NAMES[number];

/** A data set as its files describe it: nothing decoded yet. */
export interface Dataset {
  /** As people call it. */
  readonly name: DatasetName;
  /** The folder that holds the layout's files (already resolved from ROOT or its known subfolder). */
  readonly root: string;
  /** What its labels are. */
  readonly task: Task;
  /** Label names: attributes for `multi-label`, class names for `classes`. */
  readonly labels: readonly string[];
  /** Sorted by `file`. */
  readonly samples: Samples;
  /** How many rows of the label files name images that are not there; such rows are left out. */
  readonly absent: number;
  /** Of those, the ones whose images are there in a format that is not read. */
  readonly unread: readonly UnreadRows[];
}

/** Rows of label files whose images have a format that is not read. */
export interface UnreadRows {
  /** As in `is a HEIC image`. */
  readonly format: string;
  /** By name or number. */
  readonly rows: number;
  /** A line that converts one of them. */
  readonly remedy: string;
}
