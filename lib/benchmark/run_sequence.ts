import { join } from "@std/path";
import { chunks } from "../data/loader/image_source.ts";
import { exportRequests } from "../data/requests/export_requests.ts";
import type { Sample } from "../data/sample.ts";
import { copyFolder } from "../files/copy_folder.ts";
import { buildFolder } from "../files/write_whole.ts";
import { definedMetric } from "../measure/evaluation.ts";
import { tugOfWar } from "../measure/eq7_tug_of_war.ts";
import { readModel } from "../model/checkpoint.ts";
import type { ModelConfig } from "../model/config.ts";
import { uploadWeights } from "../model/device_weights.ts";
import { hashOf, type SplitData } from "../run/split_data.ts";
import type { SplitImages } from "../run/split_images.ts";
import { unlearnRequests } from "../run/unlearn_requests.ts";
import type { Device } from "../tensor/device.ts";
import { disposeWeights, type Weights } from "../tensor/weights.ts";
import { measuredPart } from "./predictions/measured_part.ts";
import { openPredictions, type PredictionRows } from "./predictions/read_predictions.ts";
import { writePredictions } from "./predictions/write_predictions.ts";
import type { SequenceStep } from "./results.ts";
import { subtractRows } from "../unlearn/memory/row_step.ts";
import { readMemoryRows } from "./memory/memory_rows.ts";
import { RESULT_FILE, type StageInputs } from "./stage.ts";

/**
 * A stream of requests (the paper's stated limitation): the people to forget are dealt into `requests`
 * in the split's order, each request is served from the kit that the last one left, as `deno task
 * unlearn` would, and the model is measured after each. Writes a list of {@link SequenceStep}.
 *
 * @param inputs `kit` as meta-learned, which is copied first, and its `identityKey`
 * @param retrained predictions of the model retrained without all of them
 * @throws LetheError bad input, or `out` exists
 */
export async function runSequence(
  device: Device,
  requests: number,
  inputs: StageInputs,
  data: SplitData,
  images: SplitImages,
  retrained: PredictionRows,
  out: string,
): Promise<void> {
  const { split, dataset } = data;
  const people = split.identities.forget;
  const groups = chunks(people, Math.ceil(people.length / requests));
  const measure = afterRequest(data, images, retrained);
  const steps: SequenceStep[] = [];
  await buildFolder(out, async (staging) => {
    let kit = join(staging, "kit");
    await copyFolder(inputs.kit, kit);
    const gone: string[] = [];
    for (const [i, group] of groups.entries()) {
      const support = join(staging, `requests-${i}`);
      const supportOf = Object.fromEntries(group.map((name) => [name, split.support[name]]));
      const hash = (sample: Sample) => hashOf(data, sample);
      await exportRequests({ support: supportOf }, dataset, support, hash);
      const after = join(staging, `unlearned-${i}`);
      const { identityKey } = inputs;
      // What a request comes to is measured here, however far it moves the weights.
      const allowUnusualStep = true;
      await unlearnRequests({ device, kit, support, out: after, identityKey, allowUnusualStep });
      await Deno.remove(kit, { recursive: true });
      kit = join(after, "kit");
      gone.push(...group);

      const { config, theta: host } = await readModel(join(after, "model"));
      const theta = uploadWeights(host);
      steps.push(await measure(theta, config, gone, join(staging, `predictions-${i}`)));
      disposeWeights(theta);
    }
    for await (const { name } of Deno.readDir(staging)) {
      await Deno.remove(join(staging, name), { recursive: true });
    }
    await Deno.writeTextFile(join(staging, RESULT_FILE), JSON.stringify(steps) + "\n");
  });
}

/**
 * {@link runSequence} with what a kit remembers of each person: each request moves the model by its own
 * people's rows, at the scale for all who are gone by then.
 *
 * @param inputs `model` and `memory`
 */
export async function runMemorySequence(
  { requests, rank = null }: { readonly requests: number; readonly rank?: number | null },
  inputs: StageInputs,
  data: SplitData,
  images: SplitImages,
  retrained: PredictionRows,
  out: string,
): Promise<void> {
  const people = data.split.identities.forget;
  const measure = afterRequest(data, images, retrained);
  const { config, theta: host } = await readModel(inputs.model);
  let theta = uploadWeights(host);
  const [steps, gone]: [SequenceStep[], string[]] = [[], []];
  await buildFolder(out, async (staging) => {
    for (const group of chunks(people, Math.ceil(people.length / requests))) {
      const rows = await readMemoryRows(inputs, rank, data, group, gone.length);
      const next = subtractRows(theta, rows);
      disposeWeights(theta);
      theta = next;
      gone.push(...group);
      const predictions = join(staging, "predictions");
      steps.push(await measure(theta, config, gone, predictions));
      await Deno.remove(predictions, { recursive: true });
    }
    disposeWeights(theta);
    await Deno.writeTextFile(join(staging, RESULT_FILE), JSON.stringify(steps) + "\n");
  });
}

/** Parts that a model is measured on after each request. */
const PARTS = ["retain", "forget", "test"] as const;

/** Measures a model after some of the people are gone: they are forgotten, the others still known. */
function afterRequest(data: SplitData, images: SplitImages, retrained: PredictionRows) {
  const parts = Object.fromEntries(PARTS.map((part) => [part, measuredPart(data, part)]));
  const metric = (part: typeof PARTS[number], rows: PredictionRows, places?: readonly number[]) =>
    definedMetric(parts[part].evaluate(rows(part, "logits"), places), "a part");
  /** The metric on those images to forget that show, or do not show, some people. */
  const among = (rows: PredictionRows, people: ReadonlySet<string>, inside: boolean) => {
    const { identities } = parts.forget;
    const chosen = identities.flatMap((name, i) => people.has(name) === inside ? [i] : []);
    return chosen.length === 0 ? null : metric("forget", rows, chosen);
  };
  return async (
    theta: Weights,
    config: ModelConfig,
    gone: readonly string[],
    folder: string,
  ): Promise<SequenceStep> => {
    const plan = { models: ["model"], parts: PARTS, wanted: "logits" } as const;
    await writePredictions(
      folder,
      config,
      data,
      images,
      plan,
      (predict) => predict("model", theta),
    );
    using predictions = await openPredictions(folder);
    const rows = predictions.rows("model");
    const people = new Set(gone);
    const of = (rows: PredictionRows) => ({
      retain: metric("retain", rows),
      forget: among(rows, people, true)!,
      test: metric("test", rows),
    });
    const [metrics, oracle] = [of(rows), of(retrained)];
    return {
      people: gone.length,
      metrics,
      waiting: among(rows, people, false),
      retrained: oracle,
      tugOfWar: tugOfWar(metrics, oracle),
    };
  };
}
