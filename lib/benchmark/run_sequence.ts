import { join } from "@std/path";
import { chunks } from "../data/loader/image_source.ts";
import { exportRequests } from "../data/requests/export_requests.ts";
import { copyFolder } from "../files/copy_folder.ts";
import { buildFolder } from "../files/write_whole.ts";
import { definedMetric, evaluation } from "../measure/evaluation.ts";
import { tugOfWar } from "../measure/eq7_tug_of_war.ts";
import { readModel } from "../model/checkpoint.ts";
import { uploadWeights } from "../model/device_weights.ts";
import type { SplitData } from "../run/split_data.ts";
import type { SplitImages } from "../run/split_images.ts";
import { unlearnRequests } from "../run/unlearn_requests.ts";
import type { Device } from "../tensor/device.ts";
import { disposeWeights } from "../tensor/weights.ts";
import { partImages, type PredictionRows, predictParts } from "./predictions.ts";
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
  const measure = afterRequest(data, retrained);
  const steps: SequenceStep[] = [];
  await buildFolder(out, async (staging) => {
    let kit = join(staging, "kit");
    await copyFolder(inputs.kit, kit);
    const gone: string[] = [];
    for (const [i, group] of groups.entries()) {
      const support = join(staging, `requests-${i}`);
      const supportOf = Object.fromEntries(group.map((name) => [name, split.support[name]]));
      await exportRequests({ ...split, support: supportOf }, dataset, support);
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
      const parts = await predictParts(theta, config, data, images, ["retain", "forget", "test"]);
      disposeWeights(theta);
      steps.push(measure((part) => parts[part]!.logits, gone));
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
  const measure = afterRequest(data, retrained);
  const { config, theta: host } = await readModel(inputs.model);
  let theta = uploadWeights(host);
  const [steps, gone]: [SequenceStep[], string[]] = [[], []];
  for (const group of chunks(people, Math.ceil(people.length / requests))) {
    const rows = await readMemoryRows(inputs, rank, data, group, gone.length);
    const next = subtractRows(theta, rows);
    disposeWeights(theta);
    theta = next;
    gone.push(...group);
    const parts = await predictParts(theta, config, data, images, ["retain", "forget", "test"]);
    steps.push(measure((part) => parts[part]!.logits, gone));
  }
  disposeWeights(theta);
  await buildFolder(out, async (staging) => {
    await Deno.writeTextFile(join(staging, RESULT_FILE), JSON.stringify(steps) + "\n");
  });
}

/** Measures a model after some of the people are gone: they are forgotten, the others still known. */
function afterRequest(data: SplitData, retrained: PredictionRows) {
  const { task, labels } = data.dataset;
  const parts = { retain: partImages(data, "retain"), test: partImages(data, "test") };
  const forget = partImages(data, "forget");
  const metric = (logits: Float32Array, targets: Float32Array) =>
    definedMetric(evaluation(task, logits, targets, labels), "a part");
  /** The metric on those images to forget that show, or do not show, some people. */
  const among = (logits: Float32Array, people: ReadonlySet<string>, inside: boolean) => {
    const chosen = forget.identities.flatMap((name, i) => people.has(name) === inside ? [i] : []);
    const pick = (rows: Float32Array) =>
      Float32Array.from(
        { length: chosen.length * labels.length },
        (_, k) => rows[chosen[Math.floor(k / labels.length)] * labels.length + k % labels.length],
      );
    return chosen.length === 0 ? null : metric(pick(logits), pick(forget.targets));
  };
  return (
    logits: (part: "retain" | "forget" | "test") => Float32Array,
    gone: readonly string[],
  ): SequenceStep => {
    const people = new Set(gone);
    const of = (rows: (part: "retain" | "forget" | "test") => Float32Array) => ({
      retain: metric(rows("retain"), parts.retain.targets),
      forget: among(rows("forget"), people, true)!,
      test: metric(rows("test"), parts.test.targets),
    });
    const [metrics, oracle] = [of(logits), of((part) => retrained(part, "logits"))];
    return {
      people: gone.length,
      metrics,
      waiting: among(logits("forget"), people, false),
      retrained: oracle,
      tugOfWar: tugOfWar(metrics, oracle),
    };
  };
}
