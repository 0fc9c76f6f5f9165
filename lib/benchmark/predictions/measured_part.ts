import { everyIndex, type Indices, piecesOf } from "../../data/loader/image_source.ts";
import { targetRows } from "../../data/loader/stored_source.ts";
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
  /** Rows of all images, some at a time; each until the next ones are asked for. */
  pieces(rows: StoredRows): Iterable<Float32Array>;
}

/** The images of a part of a split. */
export function measuredPart({ split, dataset }: SplitData, part: PredictedPart): MeasuredPart {
  const samples = samplesOf(split, dataset, part);
  const { task, labels } = dataset;
  const { length } = samples;
  const width = labels.length;
  const identities = samples.map(({ identity }) => identity);
  // Pieces lie in the same memory one after the other: a large part has hundreds of them, and what is
  // outside the heap would wait long for the collector.
  let [rowsRoom, targetsRoom] = [new Float32Array(), new Uint8Array()];
  const rowsAt = (rows: StoredRows, width: number, places: readonly number[]) => {
    const size = places.length * width;
    if (rowsRoom.length < size) rowsRoom = new Float32Array(size);
    return readRows(rows, width, places, rowsRoom.subarray(0, size));
  };
  const targetsOf = (places: readonly number[]) => {
    const size = places.length * width;
    if (targetsRoom.length < size) targetsRoom = new Uint8Array(size);
    const rows = targetsRoom.subarray(0, size).fill(0);
    return targetRows(places.map((place) => samples.at(place)!), task, width, rows);
  };
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

/** Reads the rows at these places, in their order, into `found`; those that follow one another at once. */
function readRows(
  rows: StoredRows,
  width: number,
  places: readonly number[],
  found: Float32Array,
): Float32Array {
  for (let i = 0; i < places.length;) {
    let end = i + 1;
    while (end < places.length && places[end] === places[end - 1] + 1) end++;
    rows.read(places[i] * width, found.subarray(i * width, end * width));
    i = end;
  }
  return found;
}
