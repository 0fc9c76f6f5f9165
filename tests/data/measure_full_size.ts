import { parseArgs } from "@std/cli/parse-args";
import { dirname, fromFileUrl, join, resolve } from "@std/path";
import { type Enough, measure, type Measured } from "./full_size/measure_process.ts";

/** What every step of a data set needs to know. */
interface Place {
  /** Whose commands are measured. */
  readonly repo: string;
  readonly data: string;
  readonly images: number;
  readonly model: string;
  /** Names a path of this data set's. */
  readonly at: (name: string) => string;
}

const HERE = resolve(dirname(fromFileUrl(import.meta.url)), "../..");
const DENO = ["run", "--no-prompt", "--allow-read", "--allow-write"];
const MODEL = ["--preset", "vit_demo_patch8_32", "--batch-size", "64"];
const WASM = ["--device", "wasm", "--json-progress"];
/** Training and meta-learning are stopped after 100 steps of 64 images and 100 requests of two people. */
const STEPS: Enough = { stage: "train", done: 6400 };
const REQUESTS: Enough = { stage: "meta-learn", done: 200 };

/** A task as `deno.json` runs it. */
function task(repo: string, name: string): string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(join(repo, "deno.json")));
  const flags = /--v8-flags=\S+/.exec(tasks[name.replaceAll("_", "-")]) ?? [];
  return [...DENO, ...flags, `tasks/${name}.ts`];
}

/** A task that starts the contained worker. */
function contained(repo: string, name: string): string[] {
  // Another file started it at first.
  const starter = [...Deno.readDirSync(join(repo, "tasks"))].some((file) =>
    file.name === "start.js"
  );
  return [
    ...[...DENO, "--no-code-cache", "--allow-run=/bin/sh"],
    ...(starter ? ["tasks/start.js", name] : [`tasks/${name}.ts`]),
  ];
}

/** A script beside this one, of this commit, with the flags of tasks that go through many images. */
const script = (name: string, ...args: string[]) => [
  ...[...task(HERE, "train").slice(0, -1), `tests/data/full_size/${name}.ts`],
  ...args,
];
const of = ({ at, data }: Place) => ["--split", at("split.json"), "--data", data];
const fresh = ({ at }: Place, name: string) => at(`${name}-${crypto.randomUUID().slice(0, 8)}`);

/** Removes what an earlier run of this script left. */
function remove(...paths: string[]): void {
  for (const path of paths) {
    try {
      Deno.removeSync(path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** A request of the split's, and a kit: it serves once, so each run gets a copy, in a folder of its own. */
function asked(place: Place): string[] {
  const own = fresh(place, "kit");
  Deno.mkdirSync(join(own, "kit"), { recursive: true });
  for (const { name } of Deno.readDirSync(place.at("kit"))) {
    Deno.copyFileSync(join(place.at("kit"), name), join(own, "kit", name));
  }
  Deno.copyFileSync(place.at("kit.identity-key"), join(own, "kit.identity-key"));
  return ["--support", place.at("requests"), "--kit", join(own, "kit"), "--device", "wasm"];
}

const RUNS: Readonly<Record<string, (place: Place) => Promise<Measured>>> = {
  split: ({ repo, data, at }) => {
    remove(at("split.json"), at("split.json.index"), at("requests"));
    return measure("split", repo, [
      ...[...task(repo, "split"), "--dataset", "celeba", "--data", data, "--forget", "20"],
      ...["--out", at("split.json"), "--requests", at("requests")],
    ]);
  },
  "first open": ({ data, at }) => {
    remove(at("split.json.index"));
    return measure("first open", HERE, script("open_split", at("split.json"), data));
  },
  open: ({ data, at }) => measure("open", HERE, script("open_split", at("split.json"), data)),
  // As in a copy: the folder's time of change is another, the names are the same.
  "open a copy": async ({ data, at }) => {
    await Deno.utime(join(data, "img_align_celeba"), new Date(), new Date());
    return measure("open a copy", HERE, script("open_split", at("split.json"), data));
  },
  train: (place) =>
    measure("train", place.repo, [
      ...[...task(place.repo, "train"), ...of(place), "--out", fresh(place, "trained")],
      ...[...MODEL, ...WASM],
    ], STEPS),
  "meta-learn": (place) =>
    measure("meta-learn", place.repo, [
      ...[...task(place.repo, "meta_learn"), ...of(place), "--model", place.model],
      ...["--out", fresh(place, "learned"), "--request-size", "2", "--hidden", "64"],
      ...["--statistics", "none", ...WASM],
    ], REQUESTS),
  evaluate: (place) =>
    measure("evaluate", place.repo, [
      ...[...task(place.repo, "evaluate"), ...of(place), "--model", place.model],
      ...WASM.slice(0, 2),
    ]),
  kit: ({ at, data, model }) => {
    remove(at("kit"), at("kit.identity-key"));
    return measure("kit", HERE, script("write_kit", model, at("split.json"), data, at("kit")));
  },
  unlearn: (place) =>
    measure("unlearn", place.repo, [
      ...[...contained(place.repo, "unlearn"), ...asked(place), "--out", fresh(place, "unlearned")],
    ]),
  audit: (place) =>
    measure("audit", place.repo, [
      ...[...contained(place.repo, "audit"), ...asked(place), "--training-data", place.data],
      ...["--out", fresh(place, "audited")],
    ]),
  "unlearn-with-data": (place) =>
    measure("unlearn-with-data", place.repo, [
      ...[...task(place.repo, "unlearn_with_data"), ...of(place), "--model", place.model],
      ...["--method", "bad-teacher", "--epochs", "1", "--batch-size", "64"],
      ...["--out", fresh(place, "taught"), ...WASM],
    ]),
  // Stages that an earlier run made are kept: without them it begins anew.
  benchmark: (place) => {
    const settings = place.at("grid.json");
    Deno.writeTextFileSync(settings, JSON.stringify(grid(place), null, 2));
    return measure("benchmark", place.repo, [
      ...[...task(place.repo, "benchmark"), "--settings", settings, "--out", place.at("grid")],
      ...["--workers", "1", ...WASM],
    ]);
  },
  rmia: ({ images }) => measure("rmia", HERE, script("attack", `${Math.round(images / 5)}`)),
};

/** The smallest grid that goes through all images: an epoch of each model, one method that reads none. */
function grid({ data }: Place) {
  const celeba = {
    ...{ name: "celeba", layout: "celeba", root: data, forget: [20], preset: MODEL[1] },
    ...{ recipe: "portraits", training: { epochs: 1, batchSize: 64 }, metaLearning: {} },
    requestSizeForOne: 4,
  };
  return {
    ...{ version: 1, name: "full size", seeds: [0], data: [celeba] },
    methods: [{ name: "SSD", method: "ssd" }],
    measure: { rmia: { a: 0.3, gamma: 1 }, draws: 1000 },
  };
}

/** What has no file yet and the steps need: a data set, and a model of its labels. */
async function prepare({ data, images, model }: Place): Promise<void> {
  const there = (path: string) => Deno.stat(path).then(() => true, () => false);
  if (!await there(join(data, "identity_CelebA.txt"))) {
    const size = ["--images", `${images}`, "--out", data];
    await measure("generate", HERE, [...DENO, "tests/data/synthetic_celeba.ts", ...size]);
  }
  if (await there(model)) return;
  const split = `${model}.split.json`;
  const of = ["--data", data];
  await measure("split for the model", HERE, [
    ...[...task(HERE, "split"), "--dataset", "celeba", ...of, "--forget", "20", "--out", split],
  ]);
  await measure("model", HERE, [
    ...[...task(HERE, "train"), "--split", split, ...of, "--out", model, ...MODEL],
    ...["--epochs", "1", "--device", "wasm"],
  ]);
}

// deno run -A tests/data/measure_full_size.ts --out full_size.json [--sizes 2000,20000,202599]
//   [--steps split,open,..] [--runs 3] [--work DIR] [--repo DIR]
//
// Measures time, processor time and peak memory of all steps of the table in lib/data/README.md, on data
// sets of synthetic_celeba.ts that it makes; of this commit, or of another one's files (--repo). Each
// line is printed as it is measured; --out gets all of them.
if (import.meta.main) {
  const { repo, work, steps, runs, sizes, out } = parseArgs(Deno.args, {
    string: ["repo", "work", "steps", "runs", "sizes", "out"],
    default: { repo: HERE, work: "full-size", runs: "1", sizes: "2000,20000,202599" },
  });
  const wanted = (steps?.split(",") ?? Object.keys(RUNS))
    .flatMap((step: string) => new Array<string>(Number(runs)).fill(step));
  const unknown = wanted.find((step: string) => !RUNS[step]);
  if (unknown) throw new Error(`--steps are of ${Object.keys(RUNS).join(", ")}, not ${unknown}`);
  const rows: (Measured & { images: number })[] = [];
  for (const images of sizes.split(",").map(Number)) {
    const folder = resolve(join(work, `${images}`));
    await Deno.mkdir(folder, { recursive: true });
    const place: Place = {
      ...{ repo: resolve(repo), images, data: join(folder, "celeba") },
      ...{ model: resolve(join(work, "model")), at: (name) => join(folder, name) },
    };
    await prepare(place);
    for (const step of wanted) {
      const row = { images, ...await RUNS[step](place) };
      console.log(JSON.stringify(row));
      rows.push(row);
      if (out) await Deno.writeTextFile(out, JSON.stringify(rows, null, 2) + "\n");
    }
  }
}
