import { assertEquals } from "@std/assert";
import { layerShapes, ROW_LAYERS } from "../../../lib/model/kit/row_layers.ts";
import { rowBytes } from "../../../lib/model/kit/memory_row.ts";
import { thetaShapes } from "../../../lib/model/theta_shapes.ts";
import { presetConfig, PRESETS } from "../../../lib/model/config.ts";

Deno.test("layerShapes keeps the later half of the blocks, or one kind of layer, and always the head", () => {
  const config = presetConfig(PRESETS.vit_base_patch16_224, "multi-label", ["a", "b"]);
  const shapes = thetaShapes(config, 2);
  const names = ROW_LAYERS.map((layers) => [...layerShapes(shapes, layers).keys()]);
  const [all, late, mlp, attention] = names;
  assertEquals(all, [...shapes.keys()]);
  const blocks = (of: readonly string[]) =>
    new Set(of.flatMap((name) => /^blocks\.(\d+)\./.exec(name)?.[1] ?? [])).size;
  assertEquals([late, mlp, attention].map(blocks), [6, 12, 12]);
  for (const own of [late, mlp, attention]) {
    assertEquals(own.filter((name) => name.startsWith("head.")).length, 2);
    assertEquals(own.some((name) => name.startsWith("patch_embed.")), false);
  }
  assertEquals(mlp.every((name) => /\.mlp\.|^head\./.test(name)), true);
  assertEquals(attention.every((name) => /\.attn\.|^head\./.test(name)), true);
  const bytes = names.map((own) =>
    rowBytes(new Map(own.map((name) => [name, shapes.get(name)!])), 4, config.dim)
  );
  assertEquals(bytes.every((each, i) => i === 0 || each < bytes[0]), true);
});
