import type { BenchmarkResults } from "../benchmark/results.ts";
import { readPlainFile } from "../files/plain_file.ts";
import { JsonFields, parseJsonObject } from "../files/json_fields.ts";
import * as is from "../files/json_kinds.ts";
import type { Kind } from "../files/json_kinds.ts";

const MAX_RESULTS_BYTES = 512 * 2 ** 20;
const REMEDY = "give the results.json that deno task benchmark wrote";

const MANY = 1_000_000;
const COUNT = is.integer(0, 1e9);
const NAME = is.line(4096);
const NUMBER = is.real(-1e300, 1e300);
const VERDICT = is.oneOf([
  "under-forgotten",
  "indistinguishable",
  "over-forgotten",
  "too few people",
]);

/** An object with at least these fields. */
function object(fields: Readonly<Record<string, Kind<unknown>>>): Kind<Record<string, unknown>> {
  return {
    rule: `an object with ${Object.keys(fields).join(", ")}`,
    accepts: (value): value is Record<string, unknown> =>
      is.OBJECT.accepts(value) &&
      Object.entries(fields).every(([name, kind]) =>
        Object.hasOwn(value, name) && kind.accepts(value[name])
      ),
  };
}

const SPLIT_NAME = { data: NAME, forget: COUNT, seed: COUNT };
const PARTS = object({ retain: NUMBER, forget: NUMBER, test: NUMBER });
const PERSON = { images: COUNT, metric: NUMBER, loss: NUMBER };
const JUDGED = object({ verdict: VERDICT });
const MEAN = object({ mean: NUMBER, deviation: is.nullable(NUMBER) });
const BINS = is.list(object({ from: NUMBER, to: NUMBER, people: COUNT, mean: NUMBER }), 0, MANY);
const FILES = is.list(NAME, 0, MANY);

const SPLIT = object({
  ...SPLIT_NAME,
  forgotten: is.list(
    object({
      identity: NAME,
      support: NAME,
      files: FILES,
      supportDistance: NUMBER,
      original: object(PERSON),
      retrained: object(PERSON),
    }),
    0,
    MANY,
  ),
  retained: is.list(object({ identity: NAME, nearest: NAME, original: object(PERSON) }), 0, MANY),
});

const CELL = object({
  ...SPLIT_NAME,
  method: NAME,
  seconds: is.nullable(NUMBER),
  tugOfWar: NUMBER,
  metrics: PARTS,
  membership: object({
    auc: NUMBER,
    roc: is.list(object({ fpr: NUMBER, tpr: NUMBER, low: NUMBER, high: NUMBER }), 1, MANY),
    scores: object({ members: is.list(NUMBER, 1, MANY) }),
  }),
  verdict: JUDGED,
  forgotten: is.list(object({ ...PERSON, score: NUMBER, verdict: JUDGED }), 0, MANY),
  retained: is.list(object(PERSON), 0, MANY),
});

const SUMMARY_ROW = object({
  data: NAME,
  forget: COUNT,
  method: NAME,
  retain: MEAN,
  forgetMetric: MEAN,
  test: MEAN,
  tugOfWar: is.nullable(MEAN),
  tpr: is.nullable(MEAN),
  smallest: is.nullable(object({ fpr: NUMBER, tpr: MEAN })),
  auc: is.nullable(MEAN),
  verdicts: is.OBJECT,
});

const ANALYSIS = object({
  data: NAME,
  forget: COUNT,
  methods: is.list(NAME, 0, MANY),
  hardness: BINS,
  retainDrop: BINS,
  hardest: is.list(
    object({ seed: COUNT, identity: NAME, supportDistance: NUMBER, support: NAME, files: FILES }),
    0,
    MANY,
  ),
});

const SEQUENCE = object({
  ...SPLIT_NAME,
  method: NAME,
  steps: is.list(
    object({ people: COUNT, metrics: PARTS, waiting: is.nullable(NUMBER), tugOfWar: NUMBER }),
    1,
    MANY,
  ),
});

/**
 * Reads a benchmark's `results.json`, as far as a report needs it: fields of the right kind, cells of
 * splits that are there, as many people in a cell as in its split.
 *
 * @throws {LetheError} the file cannot be read, or the first field that is wrong
 */
export async function readResults(path: string): Promise<BenchmarkResults> {
  const bytes = await readPlainFile(path, { maxBytes: MAX_RESULTS_BYTES, remedy: REMEDY });
  const record = parseJsonObject(new TextDecoder().decode(bytes), path, REMEDY);
  const fields = new JsonFields(record, path, REMEDY);
  fields.read("version", is.integer(1, 1));
  fields.read("device", NAME);
  fields.read("planned", COUNT);
  fields.read("settings", object({ name: NAME }));
  fields.read("splits", is.list(SPLIT, 0, MANY));
  fields.read("cells", is.list(CELL, 0, MANY));
  fields.read("summary", is.list(SUMMARY_ROW, 0, MANY));
  fields.read("analyses", is.list(ANALYSIS, 0, MANY));
  fields.read("sequences", is.list(SEQUENCE, 0, MANY));
  // Every field that a report shows has been held against its kind.
  const results = record as unknown as BenchmarkResults;
  const adapters = is.list(NAME, 1, 1000);
  const wrong = results.cells.find((cell) =>
    cell.adapters !== undefined && !adapters.accepts(cell.adapters)
  );
  if (wrong) fields.refuse(`the adapters of the cell ${wrong.method}`, `they are ${adapters.rule}`);
  for (const { data, forget, seed, method, forgotten, retained } of results.cells) {
    const split = results.splits.find((each) =>
      each.data === data && each.forget === forget && each.seed === seed
    );
    const fits = split?.forgotten.length === forgotten.length &&
      split.retained.length === retained.length;
    if (!fits) {
      fields.refuse(
        `the cell ${method} of ${data}/${forget} seed ${seed} has ` +
          `${forgotten.length} forgotten and ${retained.length} retained people`,
        split === undefined
          ? "its split is among the splits"
          : `its split has ${split.forgotten.length} and ${split.retained.length}`,
      );
    }
  }
  return results;
}
