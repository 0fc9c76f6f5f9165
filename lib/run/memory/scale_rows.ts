import type { RequestScale } from "../../model/kit/memory_index.ts";
import { layerShapes, ROW_LAYERS, type RowLayers } from "../../model/kit/row_layers.ts";
import type { Random } from "../../random.ts";
import { chooseScale, type ScaleTrial } from "../../unlearn/memory/choose_scale.ts";
import { type FoldRequests, foldRequests, scaleJudge } from "./judge_scale.ts";
import { cutRows, type KeptRows, scaledRows } from "./kept_rows.ts";
import type { MemoryInputs, MemorySettings } from "./memory_inputs.ts";
import type { Logits } from "./reference_answers.ts";

/** What is left of a run at one rank. */
export interface LearnedMemory {
  /** Rank of what is kept of each weight matrix; null for all. */
  readonly rank: number | null;
  /** Which tensors rows are of. */
  readonly layers: RowLayers;
  /** By the people's rows, at the scale that suits the largest simulated requests. */
  readonly rows: KeptRows;
  /** By size of the simulated requests, in rising order. */
  readonly scales: readonly ChosenScale[];
}

/** What was chosen for requests of a size. */
export interface ChosenScale {
  readonly people: number;
  readonly scale: ScaleTrial;
  readonly trials: readonly ScaleTrial[];
}

/** By what rows of the largest requests' scale are multiplied for others. */
export function requestScales(scales: readonly ChosenScale[]): RequestScale[] {
  const largest = scales.at(-1)!.scale.scale;
  return scales.map(({ people, scale }) => ({ people, factor: scale.scale / largest }));
}

/** Scales rows by the size of the request. @param kept rows by rank and person */
export async function scaleRows(
  { theta, config, microBatch, source, people, folds, answers, judged, onProgress }: MemoryInputs,
  settings: MemorySettings,
  ranks: readonly (number | null)[],
  own: Logits,
  kept: readonly KeptRows[],
  random: Random,
): Promise<LearnedMemory[]> {
  const result: LearnedMemory[] = [];
  const scaled = { theta, config, microBatch, source, original: own };
  const sizes = settings.requestSizes.map((size) =>
    foldRequests(folds, people, answers, judged, size, random.fork(`requests of ${size}`))
  );
  const shapes = new Map(Object.entries(theta).map(([name, { shape }]) => [name, shape]));
  const { layers: wanted = "all", mostLost } = settings;
  for (const [i, rank] of ranks.entries()) {
    const scaleOf = async (
      rows: KeptRows,
      layers: RowLayers,
      requests: readonly FoldRequests[],
      like?: ChosenScale,
    ) => {
      const size = sizeOf(requests);
      const judging = await scaleJudge(scaled, rows, requests);
      const { best: scale, trials } = await chooseScale(
        async (scale) => {
          const found = await judging.judge(scale);
          const note = `rank ${rank ?? "full"}${layers === "all" ? "" : `, ${layers}`}, ` +
            `${size} people, ${scale.toFixed(3)}: ToW ${(100 * found.tugOfWar).toFixed(1)}`;
          onProgress?.({ stage: "scale", done: i, total: ranks.length, unit: "ranks", note });
          return found;
        },
        mostLost,
        like?.scale.scale,
      ).finally(() => judging.dispose());
      return { people: size, scale, trials };
    };
    // The layers are those that do best for the largest requests.
    const tried: { layers: RowLayers; rows: KeptRows; first: ChosenScale }[] = [];
    const largest = sizes.reduce((a, b) => sizeOf(b) > sizeOf(a) ? b : a);
    for (const layers of wanted === "chosen" ? ROW_LAYERS : [wanted]) {
      const rows = layers === "all" ? kept[i] : cutRows(kept[i], layerShapes(shapes, layers));
      const like = tried.at(-1)?.first ?? result.at(-1)?.scales.at(-1);
      tried.push({ layers, rows, first: await scaleOf(rows, layers, largest, like) });
    }
    const { layers, rows, first } = tried.reduce((a, b) =>
      b.first.scale.tugOfWar > a.first.scale.tugOfWar ? b : a
    );
    const scales = [first];
    for (const requests of sizes) {
      if (scales.some(({ people }) => people === sizeOf(requests))) continue;
      const before = result.at(-1)?.scales.find(({ people }) => people === sizeOf(requests));
      scales.push(await scaleOf(rows, layers, requests, before ?? scales.at(-1)));
    }
    scales.sort((a, b) => a.people - b.people);
    result.push({ rank, layers, rows: scaledRows(rows, scales.at(-1)!.scale.scale), scales });
  }
  return result;
}

/** People of the largest of some requests of one size. */
function sizeOf(requests: readonly FoldRequests[]): number {
  return Math.max(...requests.map(({ groups }) => groups[0].length));
}
