import { command, main } from "../cli/command/command.ts";
import { MEMORY_OPTIONS, memoryChoice } from "../cli/options/memory_options.ts";
import type { OptionValues } from "../cli/command/options.ts";
import { printResult } from "../cli/output/print_result.ts";
import { progress } from "../cli/output/progress.ts";
import {
  DEVICE,
  JSON_RESULT,
  openAndAnnounce,
  PRECISION,
  SEED,
} from "../cli/options/shared_options.ts";
import { table } from "../cli/output/table.ts";
import { DATASET_NAMES } from "../lib/data/sample.ts";
import { IDENTITY_PARTS, type IdentityPart } from "../lib/data/split.ts";
import { whileMaking } from "../lib/files/kept_when_interrupted.ts";
import type { Compared } from "../lib/measure/before_after.ts";
import type { Acceptance } from "../lib/run/accept_models.ts";

const POINTS = { kind: "number", min: 0, max: 100 } as const;
const THRESHOLDS = {
  maxDrop: { ...POINTS, help: "mAP or accuracy may fall by so many points" },
  maxLabelDrop: { ...POINTS, help: "and each label's by so many" },
  maxLossRise: { kind: "number", min: 0, help: "the mean loss may rise by so many nats" },
  wholeInterval: {
    kind: "flag",
    help: "the 95 % interval of each change has to keep within, not its best estimate alone",
  },
} as const;

/** `deno task accept`: is a model after unlearning still good enough to serve? */
export const accept = command({
  name: "accept",
  three: "refused: a threshold is missed",
  summary: "holds a model from before a request against the one from after it, on labelled images",
  options: {
    before: {
      kind: "path",
      required: true,
      takes: "model",
      value: "DIR",
      help: "the model that serves",
    },
    after: {
      kind: "path",
      required: true,
      takes: "model",
      value: "DIR",
      help: "the model after unlearning",
    },
    images: {
      kind: "path",
      required: true,
      takes: "data",
      value: "DIR",
      help: "labelled images, none of which the model need have seen",
    },
    dataset: { kind: "choice", of: DATASET_NAMES, default: "folder", help: "their layout" },
    split: {
      kind: "path",
      takes: "split",
      value: "FILE",
      help: "a split, where it still exists, to choose by",
    },
    parts: {
      with: ["split"],
      kind: "list",
      of: IDENTITY_PARTS,
      default: ["retain", "test"],
      help: "with --split: whose images count",
    },
    ...THRESHOLDS,
    json: JSON_RESULT,
    ...MEMORY_OPTIONS,
    seed: SEED,
    device: DEVICE,
    precision: PRECISION,
  },
  examples: [
    "deno task accept --before model --after unlearned/model --images checks --max-drop 2",
  ],
  async run({ before, after, images, dataset, split, parts, json, seed, ...options }, terminal) {
    using _told = whileMaking(null);
    const { acceptModels } = await import("../lib/run/accept_models.ts");
    await openAndAnnounce(options.device, terminal, options.precision);
    const found = await acceptModels({
      ...{ before, after, images, layout: dataset, seed },
      ...(split === undefined ? {} : { split: { file: split, parts: parts as IdentityPart[] } }),
      ...memoryChoice(options),
      onProgress: progress(terminal),
      onNotice: (line) => terminal.note(line),
    });
    const falls = shortfalls(found, options);
    const asked = [options.maxDrop, options.maxLabelDrop, options.maxLossRise]
      .some((threshold) => threshold !== undefined);
    const verdict = falls.length > 0 ? "refused" : asked ? "accepted" : "no threshold given";
    await printResult(terminal, json, { verdict, shortfalls: falls, ...found }, [
      ...table(["", "before", "after", "change"], rowsOf(found), [
        `${found.images} images of ${found.people} people; 95 % intervals by person`,
        ...unjudged(found),
      ]),
      ...(found.identical
        ? [`${before} and ${after} have the same weights: nothing was unlearned between them`]
        : []),
      ...falls,
      verdict,
    ]);
    return falls.length > 0 ? 3 : 0;
  },
});

function rowsOf({ task, metric, loss, perLabel }: Acceptance): string[][] {
  const percent = (of: Compared | null) => row(of, 100, 1);
  return [
    [task === "classes" ? "accuracy" : "mAP", ...percent(metric)],
    ["loss", ...row(loss, 1, 4)],
    ...Object.entries(perLabel).map(([label, compared]) => [`  ${label}`, ...percent(compared)]),
  ];
}

/** What the images say nothing of: a threshold that is kept says nothing of it either. */
function unjudged({ absent, unlabelled }: Acceptance): string[] {
  const line = (labels: readonly string[], why: string) =>
    labels.length === 0 ? [] : [`${why}, so not judged: ${labels.join(", ")}`];
  return [
    ...line(absent, "no image has it"),
    ...line(unlabelled, "not among the images' labels"),
  ];
}

/** A figure's three cells; dashes where it is undefined, as without a positive. */
function row(compared: Compared | null, scale: number, digits: number): string[] {
  if (compared === null) return ["-", "-", "-"];
  const { before, after, change, intervals } = compared;
  const text = (value: number) => (scale * value).toFixed(digits);
  const { low, high } = intervals.change;
  return [text(before), text(after), `${text(change)} (${text(low)} to ${text(high)})`];
}

/** A line for each threshold that is not kept; a metric that is undefined keeps none. */
function shortfalls(
  { metric, loss, perLabel }: Acceptance,
  { maxDrop, maxLabelDrop, maxLossRise, wholeInterval }: OptionValues<typeof THRESHOLDS>,
): string[] {
  const lines: string[] = [];
  const drop = (name: string, compared: Compared | null, most: number | undefined) => {
    if (most === undefined) return;
    if (compared === null) {
      lines.push(`${name} is undefined: no label has a positive`);
      return;
    }
    const fall = -100 * (wholeInterval ? compared.intervals.change.low : compared.change);
    // Rounding is no reason to refuse.
    if (!(fall <= most + 1e-9)) {
      const falls = wholeInterval ? "may fall by up to" : "falls by";
      lines.push(`${name} ${falls} ${fall.toFixed(2)} points; ${most} are allowed`);
    }
  };
  drop("the metric", metric, maxDrop);
  for (const [label, compared] of Object.entries(perLabel)) {
    if (compared !== null) drop(label, compared, maxLabelDrop);
  }
  const rise = wholeInterval ? loss.intervals.change.high : loss.change;
  if (maxLossRise !== undefined && !(rise <= maxLossRise + 1e-12)) {
    const rises = wholeInterval ? "may rise by up to" : "rises by";
    lines.push(`the loss ${rises} ${rise.toFixed(4)} nats; ${maxLossRise} are allowed`);
  }
  return lines;
}

if (import.meta.main) await main(accept);
