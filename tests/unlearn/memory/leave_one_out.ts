/**
 * How far rows are from what leaving people out would have changed: a script that measures.
 *
 *     deno run -A tests/unlearn/memory/leave_one_out.ts SETTINGS GRID DATA OUT SEED [SINGLES]
 *
 * GRID is what `deno task benchmark --settings SETTINGS --data DATA --out GRID --device wasm` left, with a
 * row `Memory, full`, or `Stored updates`, or both. The model is trained again without the people to
 * forget, and without the first SINGLES (3) of them one at a time: from the same weights, over the same
 * batches in the same order with the same flips, of which their images are left out. So the difference is
 * theirs, and not another order's. Models lie in OUT and are kept; OUT/cosines.json and OUT/curves.json
 * are tables. The curves look at the forget set: they say what a step could reach, not what one would pick.
 */
import { join } from "@std/path";
import * as tf from "@tensorflow/tfjs";
import { measureCell } from "../../../lib/benchmark/measure_cell.ts";
import { openPredictions } from "../../../lib/benchmark/predictions/read_predictions.ts";
import { samplesOf } from "../../../lib/data/split.ts";
import type { BatchStream, ImageBatch } from "../../../lib/data/loader/image_source.ts";
import { readModel, writeModel } from "../../../lib/model/checkpoint.ts";
import { downloadWeights } from "../../../lib/model/device_weights.ts";
import { initialVit } from "../../../lib/model/initial_vit.ts";
import type { Weight } from "../../../lib/model/safetensors.ts";
import { train } from "../../../lib/model/train.ts";
import { Random } from "../../../lib/random.ts";
import { openDevice } from "../../../lib/tensor/device.ts";
import { disposeWeights } from "../../../lib/tensor/weights.ts";
import { type Host, less, openGrid, sum, values } from "./grid_of_rows.ts";

const [settingsPath, grid, dataFolder, out, seedText, singles = "3"] = Deno.args;
const seed = Number(seedText);
const device = await openDevice("wasm");
const opened = await openGrid([settingsPath, grid, dataFolder, join(out, "cache")], seed, device);
const { settings, all, stage, pretrain, data, images, config, theta, rowsOf } = opened;
const training = pretrain.task;
if (training.kind !== "train") throw new TypeError("a grid trains");
const { recipe } = training;
const { split, dataset } = data;
const samples = samplesOf(split, dataset, "train");
const side = Math.round(recipe.storedScale * config.imageSize);

/** A batch without the images that are marked, whose other images are as they would have been. */
function without({ patches, targets }: ImageBatch, kept: readonly number[]): ImageBatch {
  const batch = tf.tidy(() => {
    const [count] = targets.shape;
    const each = tf.reshape(patches, [count, -1]);
    const rows = tf.gather(each, tf.tensor1d([...kept], "int32"));
    return {
      patches: tf.reshape(rows, [-1, patches.shape[1]!]),
      targets: tf.gather(targets, tf.tensor1d([...kept], "int32")),
    };
  });
  tf.dispose([patches, targets]);
  return batch;
}

/** The pretrained model's own training without some people's images. */
async function trainedWithout(people: ReadonlySet<string>, folder: string) {
  const there = await Deno.lstat(folder).then(() => true, () => false);
  if (there) return (await readModel(folder)).theta;
  const out = samples.map(({ identity }) => people.has(identity));
  const source = (random: Random): BatchStream => {
    const varied = { augmentation: recipe.augmentation, random };
    const whole = images.source(samples, config, { side, varied });
    return {
      targets: (indices) => whole.targets(indices),
      async *batches(pieces, onWait) {
        const every = [...pieces];
        let i = 0;
        for await (const batch of whole.batches(every, onWait)) {
          const piece = every[i++];
          const kept = piece.flatMap((image, k) => out[image] ? [] : [k]);
          yield kept.length === piece.length ? batch : without(batch, kept);
        }
      },
    };
  };
  const initial = initialVit(config, config.labels.length, new Random(seed, "initial theta"));
  const found = await train({
    ...{ recipe, seed, source, task: config.task, shape: config, images: samples.length },
    microBatch: recipe.batchSize,
    validate: () => Promise.resolve(0),
    onEpoch: ({ history }) => Promise.resolve(console.log(folder, "epoch", history.length)),
  }, initial);
  const host = await downloadWeights(found.theta);
  for (const weights of [initial, found.theta]) disposeWeights(weights);
  await writeModel(folder, { config, theta: host });
  return host;
}

/** a - b, as what a step would take off where b is the model to come to. */
function difference(a: Host, b: Host): Map<string, Weight> {
  return new Map([...a].map(([name, weight]) => {
    const other = values(b, name);
    const own = (weight.values as Float32Array).map((value, i) => value - other[i]);
    return [name, { ...weight, values: own }];
  }));
}
/** Kinds of layers, by their names. */
const KINDS: Readonly<Record<string, RegExp>> = {
  "all": /./,
  "patch embedding, positions": /^(patch_embed|pos_embed|cls_token)/,
  "attention": /attn\..*weight/,
  "MLP": /mlp\..*weight/,
  "head": /^head\.weight/,
  "norms, biases": /norm|bias/,
};
function dot(a: Host, b: Host, kind: RegExp): number {
  let total = 0;
  for (const name of a.keys()) {
    if (!kind.test(name) || kind.source === "norm|bias" && name.startsWith("patch")) continue;
    const other = values(b, name);
    values(a, name).forEach((value, i) => total += value * other[i]);
  }
  return total;
}
const cosine = (a: Host, b: Host, kind = KINDS.all) =>
  (dot(a, b, kind) / Math.sqrt(dot(a, a, kind) * dot(b, b, kind))).toFixed(3);
const norm = (a: Host) => Math.sqrt(dot(a, a, KINDS.all)).toFixed(2);

const forget = split.identities.forget;
const gone = difference(theta, await trainedWithout(new Set(forget), join(out, "without_all")));
const again = difference(theta, (await readModel(stage("retrain").out)).theta);
const single: Map<string, Weight>[] = [];
for (const person of forget.slice(0, Number(singles))) {
  single.push(
    difference(theta, await trainedWithout(new Set([person]), join(out, `without_${person}`))),
  );
}
console.log("norms: theta", norm(theta), "without all", norm(gone), "retrained", norm(again));
console.log("one person", single.map(norm), "retrained with without all", cosine(gone, again));

const kinds = [];
for (const { name } of settings.methods) {
  const rows = await rowsOf(name).catch(() => null);
  if (rows) kinds.push({ name, rows, together: await rows(forget) });
}
const mean = (numbers: readonly string[]) =>
  numbers.length === 0
    ? "-"
    : (numbers.reduce((a, b) => a + Number(b), 0) / numbers.length).toFixed(3);
const cosines: string[][] = [];
for (const [kind, names] of Object.entries(KINDS)) {
  const row = [kind, cosine(gone, again, names)];
  for (const { rows, together } of kinds) {
    const alone = [];
    for (const [i, own] of single.entries()) {
      alone.push(cosine(await rows([forget[i]]), own, names));
    }
    row.push(cosine(together, gone, names), cosine(together, again, names), mean(alone));
  }
  cosines.push(row);
}
const heads = kinds.flatMap(({ name }) => [
  `${name}: with all left out`,
  `${name}: with the retrained model's`,
  `${name}: one person's with that person left out`,
]);

/** What theta less a share of a step comes to, measured as the grid measures. */
const retrained = (await openPredictions(
  stage("predict").inputs.model === pretrain.out ? all("predict")[1].out : all("predict")[0].out,
)).rows("model");
async function measured(step: Host, share: number) {
  using predictions = await opened.predicted(less(theta, step, share));
  const unlearned = predictions.rows("model");
  const found = { unlearned, retrained, reference: retrained, seconds: null };
  return measureCell(data, found, { ...settings.measure, draws: 50 }, seed);
}
const nothing = await measured(gone, 0);
const curves: string[][] = [];
const line = async (name: string, step: Host, share: number) => {
  const { tugOfWar, metrics, verdict } = await measured(step, share);
  const gap = (tugOfWar - nothing.tugOfWar) / (1 - nothing.tugOfWar);
  const lost = 100 * (nothing.metrics.retain - metrics.retain);
  const of = (value: number) => (100 * value).toFixed(1);
  curves.push([
    ...[name, String(share), of(metrics.retain), of(metrics.forget), of(metrics.test)],
    ...[`${(100 * gap).toFixed(0)} %`, lost.toFixed(1), verdict.auc.toFixed(2)],
  ]);
  console.log(curves.at(-1)!.join("  "));
};
for (const share of [0.25, 0.5, 0.75, 1]) await line("left out, same order", gone, share);
for (const share of [0.25, 0.5, 0.75, 1]) await line("retrained, another order", again, share);
if (single.length === forget.length) {
  for (const share of [0.5, 1]) await line("left out one by one, summed", sum(single), share);
}
for (const { name, together } of kinds) {
  for (const share of [0.5, 1, 1.5, 2]) {
    await line(`${name}, times the kit's scale`, together, share);
  }
}
const table = (columns: string[], rows: string[][]) => ({
  command: "deno run -A tests/unlearn/memory/leave_one_out.ts SETTINGS GRID DATA OUT SEED",
  commit: Deno.env.get("COMMIT") ?? "unknown",
  adapter: "WASM",
  machine: Deno.env.get("MACHINE") ?? "unknown",
  date: new Date().toISOString().slice(0, 10),
  ...{ columns, rows },
});
const write = (name: string, of: unknown) =>
  Deno.writeTextFile(join(out, name), JSON.stringify(of, null, 2) + "\n");
await write("cosines.json", table(["tensors", "left out with retrained", ...heads], cosines));
await write(
  "curves.json",
  table([
    "step",
    "share",
    "retain",
    "forget",
    "test",
    "of the gap",
    "points lost",
    "AUC of the verdict",
  ], curves),
);
images[Symbol.dispose]();
Deno.exit(0);
