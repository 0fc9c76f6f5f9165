/**
 * What a model gives away of those who stay, before and after rows: a script that measures.
 *
 *     deno run -A tests/unlearn/memory/given_away.ts OUT.json DATA SEED[,SEED..] [SETTINGS GRID]..
 *
 * Each GRID is what `deno task benchmark --settings SETTINGS --data DATA --out GRID --device wasm` left,
 * with rows of memory. Membership of images of those who stay among test people's, as an AUC: by the
 * loss alone, and by the loss less that of a fold model which never saw the person (any one of them for
 * a test person), which is the stronger attack.
 */
import { join } from "@std/path";
import { measuredPart } from "../../../lib/benchmark/predictions/measured_part.ts";
import type { PredictedPart } from "../../../lib/benchmark/predictions/parts.ts";
import { samplesOf } from "../../../lib/data/split.ts";
import { areaUnderRoc } from "../../../lib/measure/roc.ts";
import { readModel } from "../../../lib/model/checkpoint.ts";
import { peopleOf } from "../../../lib/run/memory/people_of.ts";
import { openDevice } from "../../../lib/tensor/device.ts";
import { type Host, less, openGrid } from "./grid_of_rows.ts";

const [out, dataFolder, seeds, ...grids] = Deno.args;
const device = await openDevice("wasm");
const cache = await Deno.makeTempDir();
const found = new Map<string, { seeds: number[]; loss: number[]; calibrated: number[] }>();

for (const seed of seeds.split(",").map(Number)) {
  const done = new Set<string>();
  for (let i = 0; i < grids.length; i += 2) {
    const asked: readonly number[] = JSON.parse(await Deno.readTextFile(grids[i])).seeds;
    if (!asked.includes(seed)) continue;
    const opened = await openGrid([grids[i], grids[i + 1], dataFolder, cache], seed, device);
    const { data, theta, stage, settings } = opened;

    /** Loss of each image of a part. */
    const losses = async (model: Host) => {
      using predictions = await opened.predicted(model);
      const of = (part: PredictedPart) =>
        measuredPart(data, part).losses(predictions.rows("model")(part, "logits"));
      return { retain: of("retain"), test: of("test") };
    };
    const folds = stage("folds").out;
    const { sets: [fold] } = JSON.parse(await Deno.readTextFile(join(folds, "folds.json")));
    const { identities } = peopleOf(samplesOf(data.split, data.dataset, "train"), 0);
    const foldOf = new Map(identities.map((identity, k) => [identity, fold[k] as number]));
    const references: Awaited<ReturnType<typeof losses>>[] = [];
    for (let k = 0; k < Math.max(...fold) + 1; k++) {
      references.push(await losses((await readModel(join(folds, `set0_fold${k}`))).theta));
    }
    const kept = measuredPart(data, "retain").identities;
    const without = {
      retain: kept.map((identity, n) => references[foldOf.get(identity)!].retain[n]),
      test: Array.from(references[0].test, (_, n) => references[n % references.length].test[n]),
    };

    const line = async (name: string, model: Host) => {
      if (done.has(name)) return;
      done.add(name);
      const own = await losses(model);
      // The lower its loss, the likelier is an image a member's.
      const loss = areaUnderRoc([...own.retain].map((v) => -v), [...own.test].map((v) => -v));
      const gain = (part: "retain" | "test") =>
        [...own[part]].map((value, n) => without[part][n] - value);
      const calibrated = areaUnderRoc(gain("retain"), gain("test"));
      const row = found.get(name) ?? { seeds: [], loss: [], calibrated: [] };
      found.set(name, row);
      row.seeds.push(seed);
      row.loss.push(loss);
      row.calibrated.push(calibrated);
      console.log(seed, name, loss.toFixed(3), calibrated.toFixed(3));
    };
    await line("Pretrain", theta);
    await line("Retrain", (await readModel(stage("retrain").out)).theta);
    for (const { name, ...method } of settings.methods) {
      if (!("rank" in method) || method.rank !== null) continue; // rows at full rank alone
      const rows = await opened.rowsOf(name).catch(() => null);
      if (!rows) continue;
      const step = await rows(data.split.identities.forget).catch(() => null);
      if (step) await line(name, less(theta, step, 1));
    }
    opened.images[Symbol.dispose]();
  }
}
const three = (numbers: readonly number[]) => numbers.map((value) => value.toFixed(3)).join(", ");
const table = {
  command:
    "deno run -A tests/unlearn/memory/given_away.ts OUT.json DATA SEEDS SETTINGS GRID [SETTINGS GRID ..]",
  commit: Deno.env.get("COMMIT") ?? "unknown",
  adapter: "WASM",
  machine: Deno.env.get("MACHINE") ?? "unknown",
  date: new Date().toISOString().slice(0, 10),
  columns: ["model", "seeds", "AUC by the loss", "AUC by the loss less an unseen model's"],
  rows: [...found].map(([name, { seeds, loss, calibrated }]) => [
    name,
    seeds.join(", "),
    three(loss),
    three(calibrated),
  ]),
};
await Deno.writeTextFile(out, JSON.stringify(table, null, 2) + "\n");
await Deno.remove(cache, { recursive: true });
Deno.exit(0);
