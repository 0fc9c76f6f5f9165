import { facts } from "./known_files.ts";
import type { Inspected } from "./inspected.ts";

/** A JSON file of a command's, told by its fields. */
interface KnownJson {
  readonly kind: Inspected["kind"];
  readonly fields: readonly string[];
  readonly what: string;
  readonly use: string;
}

const READ_IT = "read it by any program; no command of Lethe's takes it";

/** By fields that no other of them has together. */
const KNOWN: readonly KnownJson[] = [
  {
    // First: it may hold fields of what it tells of.
    kind: "figures",
    fields: ["path", "kind", "notes"],
    what: "what inspect --json said of a path",
    use: READ_IT,
  },
  {
    kind: "benchmark results",
    fields: ["settings", "planned", "cells"],
    what: "a benchmark's results, from which its tables are made",
    use: "deno task report --grid FILE draws them; as private as the data set",
  },
  {
    kind: "part of a benchmark",
    fields: ["settings", "stages", "adapter", "out"],
    what: "the plan of a grid, for many machines",
    use: "deno task benchmark --plan FILE --stage HASH, then --collect",
  },
  {
    kind: "part of a benchmark",
    fields: ["jobs"],
    what: "the jobs that benchmark-slurm submitted",
    use: "benchmark-slurm --status tells of them",
  },
  {
    kind: "part of a benchmark",
    fields: ["data", "methods"],
    what: "the settings of a grid",
    use: "deno task benchmark --settings FILE",
  },
  {
    kind: "part of a model",
    fields: ["recipe", "history"],
    what: "how a model was trained: recipe, seed, every epoch",
    use: "keep it in the model's folder",
  },
  {
    kind: "part of a model",
    fields: ["architecture", "labels", "imageSize"],
    what: "a model's size, pixels and labels",
    use: "keep it in the model's folder, beside model.safetensors",
  },
  {
    kind: "part of a model",
    fields: ["method", "settings", "source", "images"],
    what: "how unlearn-with-data made a model",
    use: "keep it in the model's folder",
  },
  {
    kind: "part of an output folder",
    fields: ["people", "method", "steps", "weights"],
    what: "what an unlearning run did",
    use: "keep it in the run's folder: audit --verify holds it against the receipt",
  },
  {
    kind: "part of a kit",
    fields: ["identities", "unlearning", "files"],
    what: "a kit's manifest",
    use: "keep it in the kit's folder",
  },
  {
    kind: "figures",
    fields: ["metric", "retain", "forget", "test"],
    what: "figures of a model, from evaluate --json",
    use: READ_IT,
  },
  {
    kind: "figures",
    fields: ["verdict", "shortfalls"],
    what: "a model before and after, from accept --json",
    use: READ_IT,
  },
  {
    kind: "figures",
    fields: ["labels", "images"],
    what: "logits and features per image, from predict --json",
    use: READ_IT,
  },
  {
    kind: "figures",
    fields: ["requests", "branched"],
    what: "the state of requests, from ledger --json",
    use: READ_IT,
  },
  {
    kind: "figures",
    fields: ["device", "passed", "groups"],
    what: "how an adapter stands to PyTorch's numbers, from selfcheck --json",
    use: READ_IT,
  },
  {
    kind: "figures",
    fields: ["device", "backend", "settings", "steps"],
    what: "an adapter's figures, from bench --json",
    use: READ_IT,
  },
  {
    kind: "figures",
    fields: ["command", "commit", "machine"],
    what: "a result that is kept for the READMEs",
    use: "deno task tables writes it into them",
  },
];

/** What a JSON list is by its first entry: the file of `bench --history`; null for any other. */
export function inspectList(path: string, text: string): Inspected | null {
  let first: unknown;
  try {
    first = JSON.parse(text)[0];
  } catch {
    return null;
  }
  const isRun = typeof first === "object" && first !== null &&
    ["date", "device", "ratios"].every((name) => Object.hasOwn(first, name));
  return isRun
    ? facts(
      "figures",
      path,
      "earlier runs of bench, a line each",
      "deno task bench --history FILE adds to it, and draws all as .svg",
    )
    : null;
}

/** What a JSON object is by its fields; null where they say nothing. */
export function inspectJson(
  path: string,
  fields: Readonly<Record<string, unknown>>,
): Inspected | null {
  const known = KNOWN.find((each) => each.fields.every((name) => Object.hasOwn(fields, name)));
  return known === undefined ? null : facts(known.kind, path, known.what, known.use);
}
