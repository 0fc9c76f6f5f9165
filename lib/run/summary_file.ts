import { JsonFields } from "../files/json_fields.ts";
import * as is from "../files/json_kinds.ts";
import type { Kind } from "../files/json_kinds.ts";
import { KIT_METHODS, methodOf } from "../unlearn/methods.ts";
import type { UnlearnSummary } from "./unlearn_summary.ts";

/** The summary's name in the output folder. */
export const SUMMARY_FILE = "summary.json";

/** A folder of requests holds no more. */
const MAX_PEOPLE = 1_000_000;
const FINITE = is.real(-Number.MAX_VALUE, Number.MAX_VALUE);
const LENGTH = is.real(0, Number.MAX_VALUE);
const COUNT = is.integer(1, MAX_PEOPLE);

/** Numbers by names of which each is as a tensor's or a setting's. */
function numbers(kind: Kind<number>, named: (name: string) => boolean): Kind<
  Record<string, number>
> {
  return {
    rule: `an object of names, each with ${kind.rule}`,
    accepts: (value): value is Record<string, number> =>
      is.OBJECT.accepts(value) &&
      Object.entries(value).every(([name, one]) => named(name) && kind.accepts(one)),
  };
}

/** A tensor's name: of PyTorch's kind, and no room for anything else. */
const TENSOR = /^[a-z_]+(?:\.[a-z0-9_]+){0,7}$/;

/**
 * Reads a summary, every field of it: what a worker answers, or what lies beside a receipt. It has the
 * fields that Lethe writes and no others, so that nothing hides in it.
 *
 * @throws {LetheError} a field is missing, unknown or of another kind
 */
export function parseSummary(
  record: Readonly<Record<string, unknown>>,
  where: string,
  remedy: string,
): UnlearnSummary {
  const fields = new JsonFields(record, where, remedy);
  const whole = <T>(of: JsonFields, read: (of: JsonFields) => T): T => {
    const result = read(of);
    of.end();
    return result;
  };
  const hashes = (name: string) =>
    whole(fields.within(name), (of) => ({
      before: of.read("before", is.HASH),
      after: of.read("after", is.HASH),
    }));
  const method = fields.read("method", is.oneOf(KIT_METHODS));
  const known = ["metaLearningRate", ...Object.keys(methodOf(method).settings)];
  const matched = fields.optional("match", is.nullable(is.OBJECT));
  const summary: UnlearnSummary = {
    people: fields.read("people", COUNT),
    photographs: fields.read("photographs", COUNT),
    method,
    steps: fields.read("steps", is.list(is.OBJECT, 1, MAX_PEOPLE)).map((entry, i) =>
      whole(new JsonFields(entry, `${where}: steps[${i}]`, remedy), (of) => {
        const people = of.read("people", COUNT);
        const metaLoss = of.optional("metaLoss", FINITE);
        return metaLoss === undefined ? { people } : { people, metaLoss };
      })
    ),
    settings: fields.read("settings", numbers(FINITE, (name) => known.includes(name))),
    ...(matched === undefined ? {} : {
      match: matched === null ? null : whole(fields.within("match"), (of) => ({
        farthest: of.read("farthest", LENGTH),
        distance: of.read("distance", LENGTH),
      })),
    }),
    staleStatistics: fields.read("staleStatistics", is.BOOLEAN),
    change: whole(fields.within("change"), (of) => {
      const [low, high] = [of.optional("low", LENGTH), of.optional("high", LENGTH)];
      return {
        relative: of.read("relative", LENGTH),
        norms: of.read(
          "norms",
          numbers(LENGTH, (name) => name.length <= 100 && TENSOR.test(name)),
        ),
        unusual: of.read("unusual", is.nullable(is.BOOLEAN)),
        ...(low === undefined ? {} : { low }),
        ...(high === undefined ? {} : { high }),
      };
    }),
    targets: fields.read("targets", is.oneOf(["requests.csv", "the model's own predictions"])),
    device: fields.read("device", is.line(200)),
    kit: hashes("kit"),
    weights: hashes("weights"),
  };
  fields.end();
  return summary;
}

/** The text of `summary.json`. */
export function encodeSummary(summary: UnlearnSummary): string {
  return JSON.stringify(summary, null, 2) + "\n";
}
