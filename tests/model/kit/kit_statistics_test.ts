import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { LetheError } from "../../../lib/error.ts";
import type { Kit } from "../../../lib/model/kit/kit.ts";
import { readKit } from "../../../lib/model/kit/read_kit.ts";
import { writeKit } from "../../../lib/model/kit/write_kit.ts";
import { covarianceShapes } from "../../../lib/model/kit/kit_statistics.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";
import { kitWithStatistics } from "../kit_with_statistics.ts";
import { SMALL_CONFIG } from "../small_kit.ts";

const HASHES = ["a", "b"].map((digit) => digit.repeat(64));

Deno.test("covarianceShapes gives each linear layer the square of its input's width", () => {
  assertEquals(
    covarianceShapes(SMALL_CONFIG, 2),
    new Map([
      ["patch_embed.proj", [48, 48]],
      ["blocks.0.attn.qkv", [4, 4]],
      ["blocks.0.attn.proj", [4, 4]],
      ["blocks.0.mlp.fc1", [4, 4]],
      ["blocks.0.mlp.fc2", [16, 16]],
      ["head", [4, 4]],
    ]),
  );
});

Deno.test("readKit gives back statistics and the methods' settings, each part of them if need be", () =>
  inTemporaryFolder(async (folder) => {
    const kit = kitWithStatistics(HASHES);
    const sorted = (map?: ReadonlyMap<string, unknown>) => map && new Map([...map].sort());
    const { importances, covariances } = kit.statistics!;
    for (const kept of [["importances"], ["covariances"], ["importances", "covariances"]]) {
      const statistics = {
        ...(kept.includes("importances") ? { importances: importances! } : {}),
        ...(kept.includes("covariances") ? { covariances: covariances! } : {}),
      };
      const at = join(folder, kept.join());
      await writeKit(at, { ...kit, statistics });
      const { statistics: read, manifest } = await readKit(at);
      assertEquals(Object.keys(read!), kept);
      assertEquals(sorted(read!.importances), sorted(statistics.importances));
      assertEquals(sorted(read!.covariances), sorted(statistics.covariances));
      assertEquals(manifest.methods, kit.manifest.methods);
      assertEquals(manifest.statistics, kit.manifest.statistics);
    }
  }));

Deno.test("writeKit marks statistics as stale, in the record and in what they derive from, after a request", () =>
  inTemporaryFolder(async (folder) => {
    const kit = kitWithStatistics(HASHES);
    const after = { ...kit.manifest, generation: 1, parent: "c".repeat(64) };
    const fresh = { ...kit, manifest: after };
    await assertRejects(() => writeKit(join(folder, "kit"), fresh), LetheError, "stale is false");
    const stale = { ...after, statistics: { ...after.statistics!, stale: true } };
    await writeKit(join(folder, "kit"), { ...kit, manifest: stale });
    const { manifest: { files } } = await readKit(join(folder, "kit"));
    const told = files.filter(({ derivedFrom }) => /stale/.test(derivedFrom));
    assertEquals(told.map(({ file }) => file), [
      "importances.safetensors",
      "covariances.safetensors",
    ]);
    const early = { ...kit.manifest, statistics: stale.statistics };
    await assertRejects(
      () => writeKit(join(folder, "early"), { ...kit, manifest: early }),
      LetheError,
      "generation is 0 and statistics.stale is true",
    );
  }));

/** Kits whose parts do not fit together, and what the error says. */
const WRONG: [string, (kit: Kit) => Kit, string][] = [
  [
    "covariances of other layers",
    (kit) => ({
      ...kit,
      statistics: { covariances: new Map([...kit.statistics!.covariances!].slice(1)) },
    }),
    "covariances.safetensors lacks the tensor patch_embed.proj",
  ],
  [
    "importances for covariances",
    (kit) => ({ ...kit, statistics: { covariances: kit.statistics!.importances! } }),
    "covariances.safetensors",
  ],
  [
    "statistics that are told of and not there",
    ({ statistics: _, ...kit }) => kit,
    "no file of statistics",
  ],
  [
    "statistics that nothing tells of",
    ({ manifest: { statistics: _, ...manifest }, ...kit }) => ({ ...kit, manifest }),
    "files of statistics",
  ],
  [
    "a setting that is no number",
    (kit) => ({
      ...kit,
      manifest: {
        ...kit.manifest,
        methods: { ...kit.manifest.methods!, pgu: { learningRate: 1, gamma: NaN } },
      },
    }),
    "gamma is",
  ],
];
for (const [what, spoil, message] of WRONG) {
  Deno.test(`writeKit refuses ${what}`, () =>
    inTemporaryFolder(async (folder) => {
      const kit = spoil(kitWithStatistics(HASHES));
      await assertRejects(() => writeKit(join(folder, "kit"), kit), LetheError, message);
    }));
}
