import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { KitForMethods } from "../../lib/run/meta_learning/kit_for_methods.ts";
import { keptForMethods } from "../../lib/run/meta_learning/kept_for_methods.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";

const FOUND: KitForMethods = {
  methods: { source: "chosen", ssd: { alpha: 0.1 + 0.2 } },
  statistics: {
    files: {
      importances: new Map([
        ["blocks.0.norm1/weight", { dtype: "F32", shape: [2], values: Float32Array.of(1, 1 / 3) }],
      ]),
    },
    record: { images: 4, batchSize: 2, stale: false },
  },
  trials: { ssd: [{ settings: { alpha: 1e-7 }, estimate: null }] },
  stepRanges: { ssd: { requests: 2, heldOut: true, low: 1e-3, high: 0.1 } },
};

Deno.test("keptForMethods computes once for a run, and again for another", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "rows/for-methods.safetensors");
    let computed = 0;
    const kept = (run: string, found = FOUND) =>
      keptForMethods(path, JSON.stringify({ run }), () => {
        computed++;
        return Promise.resolve(found);
      });
    for (const due of [1, 1]) assertEquals([await kept("a"), computed], [FOUND, due]);
    const none = { ...FOUND, statistics: null };
    for (const due of [2, 2]) assertEquals([await kept("b", none), computed], [none, due]);
  }));
