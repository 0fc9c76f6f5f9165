import { basename, dirname, join } from "@std/path";
import { type PathKind, pathKind } from "../files/path_kind.ts";
import { KIT_PARTS } from "../model/kit/kit_parts.ts";
import type { Inspected } from "./inspected.ts";

/** A file or folder that commands leave beside or within what has an inspection of its own. */
interface Known {
  readonly kind: Inspected["kind"];
  readonly name: RegExp;
  readonly is: "file" | "folder";
  /** Where it lies, if its name alone does not tell. */
  readonly within?: PathKind;
  readonly what: string;
  /** What there is to do with it. */
  readonly use: string;
}

const STATE = "give the same command again to go on, or remove it to begin anew";
const AS_DATA = "as private as the data set; delete it with that";
const FORGET_IT = "nothing: its command makes it anew";

/** Within what has its own inspection; then by name alone. The first that fits. */
const KNOWN: readonly Known[] = [
  {
    ...{ kind: "state of a stopped run", name: /\.training$/, is: "file" },
    what: "weights and moments of a train run, as of its last whole epoch",
    use: STATE,
  },
  {
    ...{ kind: "state of a stopped run", name: /\.training\.updates$/, is: "folder" },
    what: "what a stopped train --log-updates run has logged of each person",
    use: `${STATE}, with the state beside it; ${AS_DATA}`,
  },
  {
    ...{ kind: "state of a stopped run", name: /\.meta-learning$/, is: "file" },
    what: "the meta-loss and moments of a meta-learn run, as of its last whole epoch",
    use: STATE,
  },
  {
    ...{ kind: "state of a stopped run", name: /\.rows$/, is: "folder" },
    what: "rows of each person that a meta-learn --memory run has made so far, unsealed",
    use: `${STATE}; ${AS_DATA}`,
  },
  {
    ...{ kind: "split index", name: /\.json\.index$/, is: "file" },
    what: "a split with its data set's labels, so that commands open it without parsing",
    use: `${FORGET_IT}; ${AS_DATA}`,
  },
  {
    ...{ kind: "claim", name: /^\..+\.claim\.\d+$/, is: "file" },
    what: "the claim of a run that makes what its name says",
    use: "leave it: it goes with the run; that of a dead one is taken over by the next",
  },
  {
    ...{ kind: "unfinished output", name: /^\..+\.[0-9a-f-]{36}\.part$/, is: "file" },
    what: "half a file that a killed run left",
    use: "remove it once no run works here: nothing reads it",
  },
  {
    ...{ kind: "unfinished output", name: /^\..+\.[0-9a-f-]{36}\.part$/, is: "folder" },
    what: "half a folder that a killed run left",
    use: "remove it once no run works here: nothing reads it",
  },
  {
    ...{ kind: "drawing", name: /history\.svg$/, is: "file" },
    what: "the curves of a training, by epoch",
    use: "open it in a browser; nothing reads it",
  },
  {
    ...{ kind: "drawing", name: /\.svg$/, is: "file" },
    what: "a drawing",
    use: "open it in a browser; nothing reads it",
  },
  {
    ...{ kind: "ONNX model", name: /\.onnx$/, is: "file" },
    what: "a model as export wrote it, for other programs",
    use: "serve it; Lethe reads the model folder that it came from",
  },
  {
    ...{ kind: "hashes", name: /^model\.sha256$/, is: "file" },
    what: "SHA-256 of a new model, from a pack",
    use: "sha256sum -c model.sha256, beside the model",
  },
  {
    ...{ kind: "evidence", name: /^evidence$/, is: "folder" },
    what: "logs of a run under watch: permissions asked for, files opened",
    use: "keep it beside its receipt.json, which audit --verify holds against it",
  },
  {
    ...{ kind: "evidence", name: /^(?:permissions|trace)\.log$/, is: "file" },
    what: "a log of a run under watch",
    use: "keep it in its evidence folder: the receipt names its hash",
  },
  {
    ...{ kind: "part of a benchmark", name: /^stages$/, is: "folder", within: "benchmark grid" },
    what: "what a benchmark's stages have made, a folder each",
    use: "inspect the benchmark's folder; the same command makes what is missing",
  },
  {
    ...{ kind: "part of a benchmark", name: /^claims$/, is: "folder", within: "benchmark grid" },
    what: "which process makes which stage of a benchmark, and what each took",
    use: "leave it: report names the adapters by it",
  },
  {
    ...{ kind: "part of a benchmark", name: /^slurm$/, is: "folder", within: "benchmark grid" },
    what: "jobs that benchmark-slurm submitted, with their logs",
    use: "benchmark-slurm --status tells of them; logs are for reading",
  },
  {
    ...{ kind: "part of a benchmark", name: /^lock$/, is: "file", within: "benchmark grid" },
    what: "by its lock a benchmark holds its folder",
    use: "leave it: no process need remove it",
  },
  {
    ...{ kind: "part of a benchmark", name: /^predictions\.safetensors$/, is: "file" },
    what: "what a model of a benchmark says to each image, as rows",
    use: `nothing: the benchmark's figures are made of it; ${AS_DATA}`,
  },
  {
    ...{ kind: "requests", name: /^requests\.csv$/, is: "file" },
    what: "whose photograph each of a folder of requests is, with its labels",
    use: "inspect the folder that it lies in, or give that to unlearn --support",
  },
  {
    ...{ kind: "weights", name: /\.safetensors$/, is: "file" },
    what: "weights, by their names",
    use: "deno task import makes a model folder of a ViT's (--weights FILE)",
  },
  {
    ...{ kind: "photograph", name: /\.(?:jpe?g|png|webp)$/i, is: "file" },
    what: "a picture",
    use: "inspect the folder that it lies in: requests, or a data set",
  },
];

/** Of a model's folder; a kit's own parts are in {@link KIT_PARTS}. */
const OF_MODEL: Readonly<Record<string, string>> = {
  "model.safetensors": "its weights, in timm's names",
  "config.json": "its size, pixels and labels",
  "history.json": "how it was trained: recipe, seed, every epoch",
  "history.svg": "the curves of its training",
  "unlearning.json": "how unlearn-with-data made it",
};
const OF_OUTPUT: Readonly<Record<string, string>> = {
  "summary.json": "what the run did: people, method, settings, how far the weights moved",
};

/** What a path's name, and the folder that it lies in, say of it; null where they say nothing. */
export async function inspectKnown(
  path: string,
  is: "file" | "folder",
): Promise<Inspected | null> {
  const [name, folder] = [basename(path), dirname(path)];
  const within = await pathKind(folder);
  const part = within === null ? null : partOf(name, within);
  if (part !== null) {
    const [kind, what] = part;
    return facts(kind, path, what, `inspect ${folder}, which it belongs to`);
  }
  const known = KNOWN.find((each) =>
    each.is === is && each.name.test(name) && (each.within ?? within) === within
  );
  if (known !== undefined) return facts(known.kind, path, known.what, known.use);
  if (is === "folder" && await holdsDecoded(path)) {
    return facts(
      "decoded images",
      path,
      "decoded images of a data set (--cache)",
      `${FORGET_IT}; ${AS_DATA}`,
    );
  }
  const above = KNOWN.find((each) => each.is === "folder" && each.name.test(basename(folder)));
  if (above === undefined) return null;
  return facts(above.kind, path, `part of ${above.what}`, `inspect ${folder}, which it belongs to`);
}

/** A file of a folder that is inspected as a whole. */
function partOf(name: string, within: PathKind): [Inspected["kind"], string] | null {
  if (within === "kit") {
    if (name === "kit.json") return ["part of a kit", "the names and hashes of all its files"];
    const own = KIT_PARTS.find(({ file }) => file === name);
    if (own) return ["part of a kit", `made of ${own.derivedFrom(0)}`];
  }
  if (within === "model" && Object.hasOwn(OF_MODEL, name)) {
    return ["part of a model", OF_MODEL[name]];
  }
  if (within === "output folder" && Object.hasOwn(OF_OUTPUT, name)) {
    return ["part of an output folder", OF_OUTPUT[name]];
  }
  return null;
}

/** A cache's folders have two hexadecimal digits, its files the rest of a hash. */
async function holdsDecoded(folder: string): Promise<boolean> {
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  if (names.length === 0 || !names.every((name) => /^[0-9a-f]{2}$/.test(name))) return false;
  for await (const { name } of Deno.readDir(join(folder, names[0]))) {
    return /^[0-9a-f]{62}$/.test(name);
  }
  return false;
}

/** What something is and what to do with it. */
export function facts(
  kind: Inspected["kind"],
  path: string,
  what: string,
  use: string,
  more: Readonly<Record<string, string | number>> = {},
): Inspected {
  const rows = Object.entries(more).map(([name, value]): [string, string] => [name, String(value)]);
  return {
    ...{ kind, path },
    rows: [["what", what], ...rows, ["use", use]],
    notes: [],
    value: { kind, what, use, ...more },
  };
}
