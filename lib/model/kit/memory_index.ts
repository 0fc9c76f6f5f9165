import { JsonFields, parseJsonObject } from "../../files/json_fields.ts";
import * as is from "../../files/json_kinds.ts";
import { ROW_LAYERS, type RowLayers } from "./row_layers.ts";

/** Where a kit names its rows of memory. */
export const MEMORY_INDEX = "memory.json";
/** The kit's folder of sealed rows. */
export const MEMORY_FOLDER = "memory";

/** `memory.json`: whose rows there are, and how they were made. */
export interface MemoryIndex {
  /** Of this form. */
  readonly version: 1;
  /** Rank that matrices are kept at; null where they are whole. */
  readonly rank: number | null;
  /** Which of theta's tensors rows are of; absent: all. */
  readonly layers?: RowLayers;
  /** The kit has been through a request: its rows are of the model before it. */
  readonly stale: boolean;
  /** How far a photograph may be from its person; null where nobody measured it. */
  readonly match: PhotographMatch | null;
  /** Models that never saw a person: partitions and folds of each. */
  readonly folds: { readonly count: number; readonly sets: number };
  /** Tug-of-War of the largest simulated requests, a fraction, and the scale that it chose. */
  readonly heldOut: { readonly scale: number; readonly tugOfWar: number };
  /** By what rows are multiplied, by people forgotten in all; absent in kits that have one scale. */
  readonly requests?: readonly RequestScale[];
  /** People whom the kit's model has forgotten by its rows; absent for none. */
  readonly forgotten?: number;
  /** By `person`. */
  readonly people: readonly IndexedRow[];
}

/** A size of requests and its factor. */
export interface RequestScale {
  /** People whom the model has forgotten after the request. */
  readonly people: number;
  /** What rows are multiplied by; 1 leaves them as they are kept. */
  readonly factor: number;
}

/** The check that a photograph shows the person whom a request names. */
export interface PhotographMatch {
  /** Largest cosine distance of a feature from the person's centroid. */
  readonly distance: number;
  /** Shares of unseen people's own and of others' photographs that are beyond it. */
  readonly refusesOwn: number;
  /** Share of strangers whose photographs it refuses. */
  readonly refusesOthers: number;
}

/** One person's sealed row. */
export interface IndexedRow {
  /** Keyed hash of the identity. */
  readonly person: string;
  /** SHA-256 of the sealed file. */
  readonly sha256: string;
  /** What its key is derived from, with the identity key. */
  readonly salt: string;
}

/** The file of a person's sealed row, within {@link MEMORY_FOLDER}. */
export function rowFile(person: string): string {
  return `${person}.row`;
}

/** `memory.json` as text: people in the order of their hashes. */
export function encodeMemoryIndex(index: MemoryIndex): string {
  const people = index.people.toSorted((a, b) => a.person < b.person ? -1 : 1);
  const { version, rank, layers, stale, match, folds, heldOut, requests, forgotten } = index;
  const all = { version, rank, layers, stale, match, folds, heldOut, requests, forgotten, people };
  return JSON.stringify(all, null, 2) + "\n";
}

const COUNT = is.integer(1, 10_000_000);

/** Reads `memory.json` as hostile input. @throws {LetheError} the field that is wrong */
export function parseMemoryIndex(text: string, file: string): MemoryIndex {
  const remedy = "use the kit as meta-learn wrote it";
  const share = is.real(0, 1);
  const fields = new JsonFields(parseJsonObject(text, file, remedy), file, remedy);
  const version = fields.read("version", is.integer(1, 1)) as 1;
  const rank = fields.read("rank", is.nullable(is.integer(1, 65_536)));
  const layers = fields.optional("layers", is.oneOf(ROW_LAYERS));
  const stale = fields.read("stale", is.BOOLEAN);
  const matched = fields.read("match", is.nullable(is.OBJECT)) !== null;
  const match = matched ? fields.within("match") : null;
  const folds = fields.within("folds");
  const heldOut = fields.within("heldOut");
  const requests = fields.optional("requests", is.list(is.OBJECT, 1, 100))?.map((entry, i) => {
    const of = new JsonFields(entry, `${file}: requests[${i}]`, remedy);
    const scale = { people: of.read("people", COUNT), factor: of.read("factor", is.real(0, 1e6)) };
    of.end();
    return scale;
  });
  const forgotten = fields.optional("forgotten", COUNT);
  const index: MemoryIndex = {
    version,
    rank,
    ...(layers === undefined ? {} : { layers }),
    stale,
    match: match && {
      distance: match.read("distance", is.real(0, 2)),
      refusesOwn: match.read("refusesOwn", share),
      refusesOthers: match.read("refusesOthers", share),
    },
    folds: {
      count: folds.read("count", is.integer(2, 1000)),
      sets: folds.read("sets", is.integer(1, 16)),
    },
    heldOut: {
      scale: heldOut.read("scale", is.real(0, 1e6)),
      tugOfWar: heldOut.read("tugOfWar", share),
    },
    ...(requests === undefined ? {} : { requests }),
    ...(forgotten === undefined ? {} : { forgotten }),
    people: fields.read("people", is.list(is.OBJECT, 0, 10_000_000)).map((entry, i) => {
      const of = new JsonFields(entry, `${file}: people[${i}]`, remedy);
      const row = {
        person: of.read("person", is.HASH),
        sha256: of.read("sha256", is.HASH),
        salt: of.read("salt", is.HASH),
      };
      of.end();
      return row;
    }),
  };
  for (const each of [match, folds, heldOut, fields]) each?.end();
  const { people } = index;
  if (people.some(({ person }, i) => i > 0 && person <= people[i - 1].person)) {
    fields.refuse("people are out of order or twice", "they follow each other by their hashes");
  }
  if (requests?.some(({ people }, i) => i > 0 && people <= requests[i - 1].people)) {
    fields.refuse("requests are out of order or twice", "sizes rise");
  }
  return index;
}
