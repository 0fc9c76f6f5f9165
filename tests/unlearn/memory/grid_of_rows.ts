/** A finished grid with rows of memory, opened for scripts that measure what its tables do not tell. */
import { join, resolve } from "@std/path";
import { readMemoryRows } from "../../../lib/benchmark/memory/memory_rows.ts";
import { parseGridSettings } from "../../../lib/benchmark/parse_settings.ts";
import { planGrid } from "../../../lib/benchmark/plan.ts";
import { PREDICTED_PARTS } from "../../../lib/benchmark/predictions/parts.ts";
import {
  openPredictions,
  type StoredPredictions,
} from "../../../lib/benchmark/predictions/read_predictions.ts";
import { writePredictions } from "../../../lib/benchmark/predictions/write_predictions.ts";
import { readModel } from "../../../lib/model/checkpoint.ts";
import { uploadWeights } from "../../../lib/model/device_weights.ts";
import type { Weight } from "../../../lib/model/safetensors.ts";
import { thetaShapes } from "../../../lib/model/theta_shapes.ts";
import { openSplit } from "../../../lib/run/split_data.ts";
import { openImages } from "../../../lib/run/split_images.ts";
import type { Device } from "../../../lib/tensor/device.ts";
import { disposeWeights } from "../../../lib/tensor/weights.ts";
import { expandedStep } from "../../../lib/unlearn/memory/row_step.ts";

/** Weights on the host. */
export type Host = ReadonlyMap<string, Weight>;

/** A tensor's numbers. */
export function values(of: Host, name: string): Float32Array {
  return of.get(name)!.values as Float32Array;
}

/** Sum of steps of one model. */
export function sum(steps: readonly Host[]): Map<string, Weight> {
  return new Map([...steps[0]].map(([name, weight]) => {
    const total = new Float32Array(weight.values.length);
    for (const step of steps) values(step, name).forEach((value, i) => total[i] += value);
    return [name, { ...weight, values: total }];
  }));
}

/** theta less a share of a step. */
export function less(theta: Host, step: Host, share: number): Map<string, Weight> {
  return new Map([...theta].map(([name, weight]) => {
    const own = values(step, name);
    const at = (weight.values as Float32Array).map((value, i) => value - share * own[i]);
    return [name, { ...weight, values: at }];
  }));
}

/**
 * Opens what `deno task benchmark --settings SETTINGS --data DATA --out GRID` left of one seed.
 *
 * @param cache folder for cut images
 */
export async function openGrid(
  [settingsPath, grid, dataFolder, cache]: readonly [string, string, string, string],
  seed: number,
  device: Device,
) {
  const given = parseGridSettings(await Deno.readTextFile(settingsPath), settingsPath);
  const settings = { ...given, data: given.data.map((d) => ({ ...d, root: resolve(dataFolder) })) };
  const { stages } = planGrid(settings, resolve(grid), device.adapter);
  const all = (title: string) =>
    stages.filter((s) => s.title.startsWith(title) && s.title.endsWith(`seed ${seed}`));
  const stage = (title: string) => all(title)[0];
  const pretrain = stage("pretrain");
  const data = await openSplit(join(stage("split").out, "split.json"), dataFolder);
  const images = openImages(data, cache);
  const { config, theta } = await readModel(pretrain.out);
  const shapes = thetaShapes(config, config.labels.length);
  return {
    ...{ settings, all, stage, pretrain, data, images, config, theta },

    /** The step of some people's rows, at the scale that the grid chose. */
    async rowsOf(method: string): Promise<(people: readonly string[]) => Promise<Host>> {
      const { inputs } = stage(`unlearn ${method}`);
      await Deno.stat(inputs.memory);
      return async (people) => {
        const rows = await readMemoryRows(inputs, null, data, people);
        return sum(rows.map(({ step }) => expandedStep(step, shapes)));
      };
    },

    /** A model's logits of all parts' images; the caller disposes of them. */
    async predicted(model: Host): Promise<StoredPredictions> {
      const folder = await Deno.makeTempDir();
      const out = join(folder, "predictions");
      const plan = { models: ["model"], parts: PREDICTED_PARTS, wanted: "logits" } as const;
      const weights = uploadWeights(model);
      await writePredictions(
        out,
        config,
        data,
        images,
        plan,
        (predict) => predict("model", weights),
      );
      disposeWeights(weights);
      const predictions = await openPredictions(out);
      await Deno.remove(folder, { recursive: true }); // open, it is read all the same
      return predictions;
    },
  };
}
