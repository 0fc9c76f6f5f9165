import { type Cycle, Draw } from "../../data/batches.ts";
import { chunks } from "../../data/loader/image_source.ts";
import type { Random } from "../../random.ts";
import type { AuxiliaryBatch } from "./meta_objective.ts";
import type { Person, SimulatedRequest } from "./simulate_requests.ts";

/** What holds the unlearned model in place beyond the paper: nothing, validation or retained people. */
export type Keep = "none" | "val" | "retain";

/** Of a meta-learning run what its batches are drawn from. */
interface Drawn {
  readonly recipe: { readonly batchSize: number; readonly keep: Keep };
  readonly people: readonly Person[];
  readonly val: readonly number[];
}

/** Where K is drawn from: validation images, or those of the people who do not ask. */
export function keptImages({ recipe: { keep }, people, val }: Drawn) {
  const images = keep === "retain" ? people.flatMap(({ images }) => images) : val;
  const owners = new Map(
    keep === "retain" ? people.flatMap(({ row, images }) => images.map((i) => [i, row])) : [],
  );
  return { images, owners };
}

/** Df of a request in batches, each with one validation batch and, with `keep`, one batch of K. */
export function auxiliaryBatches(
  request: SimulatedRequest,
  learning: Drawn,
  val: Cycle,
  { images, owners }: ReturnType<typeof keptImages>,
  random: Random,
): AuxiliaryBatch[] {
  const { batchSize, keep } = learning.recipe;
  const asking = new Set(request.rows);
  const draw = (): Draw => new Draw(images, random);
  let kept = draw();
  const drawKept = (): number[] => {
    const staying = (image: number) => !asking.has(owners.get(image)!);
    const taken = kept.take(batchSize, staying);
    if (taken.length === batchSize) return taken;
    // Used up: again from all of them, but none twice in a batch.
    kept = draw();
    const there = new Set(taken);
    return [
      ...taken,
      ...kept.take(batchSize - taken.length, (image) => staying(image) && !there.has(image)),
    ];
  };
  return chunks(request.forget, batchSize).map((forget) => ({
    forget,
    val: val.take(Math.min(batchSize, learning.val.length)),
    keep: keep === "none" ? [] : drawKept(),
  }));
}
