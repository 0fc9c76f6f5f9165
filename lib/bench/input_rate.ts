import { INPUT_VERSION } from "../data/images/stored_form.ts";
import { loadImages } from "../data/loader/image_store.ts";
import { storedSource } from "../data/loader/stored_source.ts";
import type { TrainingRecipe } from "../model/recipes.ts";
import type { VitShape } from "../model/vit.ts";
import { Random } from "../random.ts";
import { finish } from "./finish.ts";

/** How fast images come in. */
export interface InputRate {
  /** Images read, decoded and resized per second. */
  readonly decoded: number;
  /** Images cut, flipped, normalised and on the device per second. */
  readonly augmented: number;
}

/** Milliseconds that each part is measured for. */
const LONG_ENOUGH = 500;

async function perSecond(images: number, run: () => Promise<void>): Promise<number> {
  await run();
  const start = performance.now();
  let runs = 0;
  do {
    await run();
    runs++;
  } while (performance.now() - start < LONG_ENOUGH);
  return runs * images / ((performance.now() - start) / 1000);
}

/**
 * Measures the input pipeline on some image files.
 *
 * @param root their folder
 * @param files below it
 * @param recipe whose augmentation and stored size are taken
 * @throws LetheError a file is missing or does not decode
 */
export async function measureInput(
  root: string,
  files: readonly string[],
  shape: VitShape,
  recipe: TrainingRecipe,
  batch: number,
): Promise<InputRate> {
  const side = Math.round(shape.imageSize * recipe.storedScale);
  const form = { side, version: INPUT_VERSION };
  const decoded = await perSecond(files.length, async () => {
    await loadImages(root, files, form);
  });
  const images = await loadImages(root, files, form);
  const half = [0.5, 0.5, 0.5];
  const source = storedSource(
    images,
    files.map((file) => ({ file, identity: file, targets: [0] })),
    { ...shape, mean: half, std: half, task: "multi-label", labels: 1 },
    { augmentation: recipe.augmentation, random: new Random(0, "bench input") },
  );
  const indices = Array.from({ length: batch }, (_, i) => i % files.length);
  const augmented = await perSecond(batch, async () => {
    const { patches, targets } = source.batch(indices);
    await finish(targets, patches);
  });
  return { decoded, augmented };
}
