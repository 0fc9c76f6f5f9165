import { join } from "@std/path";
import { encodePng } from "../../lib/data/images/encode_png.ts";
import {
  identityHash,
  type IdentityKey,
  identityKeyPath,
  newIdentityKey,
  writeIdentityKey,
} from "../../lib/model/kit/identity_key.ts";
import { writeKit } from "../../lib/model/kit/write_kit.ts";
import { layerShapes, type RowLayers } from "../../lib/model/kit/row_layers.ts";
import { thetaShapes } from "../../lib/model/theta_shapes.ts";
import type { MemoryRow } from "../../lib/model/kit/memory_row.ts";
import type { Weight } from "../../lib/model/safetensors.ts";
import { Random } from "../../lib/random.ts";
import { cutRows, rowsOf as keptRowsOf } from "../../lib/run/memory/kept_rows.ts";
import { sealMemory } from "../../lib/run/memory/kit_memory.ts";
import { rowStep } from "../../lib/unlearn/memory/row_step.ts";
import { kitWithStatistics } from "../model/kit_with_statistics.ts";
import { SMALL_CONFIG } from "../model/small_kit.ts";

/** Whom the kit remembers. */
export const PEOPLE = ["Ada", "Bea", "Cid"];
/** Of the model's input. */
export const SIDE = SMALL_CONFIG.imageSize;

/** Rows of random steps: person k's are k + 1 times 1e-3 of theta's own kind. */
export function rowsOf(theta: ReadonlyMap<string, Weight>, rank: number | null): MemoryRow[] {
  return PEOPLE.map((_, k) => {
    const random = new Random(k, "row");
    const step = new Map(
      [...theta].sort().map(([name, { shape, dtype }]) => {
        const size = shape.reduce((product, n) => product * n, 1);
        const values = Float32Array.from({ length: size }, () => 1e-3 * (k + 1) * random.normal());
        return [name, { shape, dtype, values }];
      }),
    );
    return {
      step: rowStep(step, rank),
      centroid: Float32Array.from({ length: SMALL_CONFIG.dim }, () => random.normal()),
    };
  });
}

/** `kit/` that remembers, its key, and a folder of requests for each person. */
export async function prepare(
  folder: string,
  rank: number | null,
  distance = 2,
  factors: readonly number[] = [1],
  layers: RowLayers = "all",
  refusesOthers = 0,
): Promise<IdentityKey> {
  const key = newIdentityKey();
  const kit = kitWithStatistics(PEOPLE.map((person) => identityHash(key, person)).sort());
  const learned = {
    rank,
    layers,
    rows: cutRows(
      keptRowsOf(rowsOf(kit.model.theta, rank)),
      layerShapes(thetaShapes(kit.model.config, kit.model.config.labels.length), layers),
    ),
    scales: factors.map((scale, i) => ({
      people: i + 1,
      scale: { scale, tugOfWar: 0.9, lost: 0 },
      trials: [],
    })),
  };
  const folds = { count: 2, sets: [[0, 1, 0]] };
  const match = { distance, refusesOwn: 0, refusesOthers };
  const memory = await sealMemory({ learned, folds, match }, PEOPLE, key);
  await writeKit(join(folder, "kit"), { ...kit, memory });
  await writeIdentityKey(identityKeyPath(join(folder, "kit")), key);
  for (const [k, person] of PEOPLE.entries()) {
    await Deno.mkdir(join(folder, `${k}`));
    const rgb = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => (i * (k + 3) * 37) % 256);
    await Deno.writeFile(
      join(folder, `${k}`, `${person}.png`),
      encodePng({ width: SIDE, height: SIDE, rgb }),
    );
  }
  return key;
}
