import { everyIndex, type Indices, piecesOf } from "../../data/loader/image_source.ts";
import { byteTargets } from "../../data/loader/stored_source.ts";
import { samplesOf } from "../../data/split.ts";
import type { Evaluation } from "../../measure/evaluation.ts";
import { sampleLosses } from "../../measure/loss.ts";
import { metricsOfPeople, type PersonMetrics } from "../../measure/people.ts";
import { streamEvaluation } from "../../measure/streamed_evaluation.ts";
import type { SplitData } from "../../run/split_data.ts";
import type { PredictedPart } from "./parts.ts";
import type { StoredRows } from "./read_predictions.ts";

/** Images of which rows are read at a time. */
const PIECE = 512;

/** A part's images, and what can be said of predictions of them, which are read piece by piece. */
export interface MeasuredPart {
  /** How many images. */
  readonly length: number;
  /** Whom each shows, in the order of the predictions. */
  readonly identities: readonly string[];
  /** As `evaluation`. @param places of some images; default all */
  evaluate(logits: StoredRows, places?: Indices): Evaluation;
  /** As `sampleLosses`. */
  losses(logits: StoredRows): Float64Array;
  /** As `perPerson`. */
  people(logits: StoredRows): Map<string, PersonMetrics>;
  /** Rows of all images, some at a time. */
  pieces(rows: StoredRows): Iterable<Float32Array>;
}

/** The images of a part of a split. */
export function measuredPart({ split, dataset }: SplitData, part: PredictedPart): MeasuredPart {
  const samples = samplesOf(split, dataset, part);
  const { task, labels } = dataset;
  const { length } = samples;
  const width = labels.length;
  const identities = samples.map(({ identity }) => identity);
  const targetsOf = (places: readonly number[]) =>
    byteTargets(places.map((place) => samples.at(place)!), task, width);
  const losses = (logits: StoredRows) => {
    const all = new Float64Array(length);
    let done = 0;
    for (const places of piecesOf(everyIndex(length), PIECE)) {
      all.set(sampleLosses(task, rowsAt(logits, width, places), targetsOf(places), width), done);
      done += places.length;
    }
    return all;
  };
  return {
    ...{ length, identities, losses },
    evaluate(logits, places = everyIndex(length)) {
      const every = labels.map((_, label) => label);
      using evaluated = streamEvaluation(task, labels, places.length, [every]);
      for (const piece of piecesOf(places, PIECE)) {
        evaluated.add(rowsAt(logits, width, piece), targetsOf(piece));
      }
      return evaluated.finish()[0];
    },
    people: (logits) =>
      metricsOfPeople(task, identities, losses(logits), (places) => ({
        logits: rowsAt(logits, width, places),
        targets: targetsOf(places),
      }), width),
    *pieces(rows) {
      const each = rows.length / length;
      for (const places of piecesOf(everyIndex(length), PIECE)) yield rowsAt(rows, each, places);
    },
  };
}

/** Rows at these places, in their order; those that follow one another are read at once. */
function rowsAt(rows: StoredRows, width: number, places: readonly number[]): Float32Array {
  const found = new Float32Array(places.length * width);
  for (let i = 0; i < places.length;) {
    let end = i + 1;
    while (end < places.length && places[end] === places[end - 1] + 1) end++;
    found.set(rows.slice(places[i] * width, (places[i] + end - i) * width), i * width);
    i = end;
  }
  return found;
}
