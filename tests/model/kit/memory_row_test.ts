import { assert, assertEquals, assertThrows } from "@std/assert";
import { LetheError } from "../../../lib/error.ts";
import {
  decodeRow,
  encodeRow,
  type MemoryRow,
  rowBytes,
} from "../../../lib/model/kit/memory_row.ts";
import { presetConfig, PRESETS } from "../../../lib/model/config.ts";
import { encodeSafetensors } from "../../../lib/model/encode_safetensors.ts";
import { parseSafetensors } from "../../../lib/model/safetensors.ts";
import { thetaShapes } from "../../../lib/model/theta_shapes.ts";

const SHAPES = new Map([["a.weight", [4, 3]], ["a.bias", [3]]]);
const numbers = (n: number, of: number) =>
  Float32Array.from({ length: n }, (_, i) => of * Math.sin(i + 1));
const ROW: MemoryRow = {
  step: new Map([
    ["a.weight", { left: numbers(8, 1e-7), right: numbers(6, 3) }],
    ["a.bias", { whole: numbers(3, 1e-5) }],
  ]),
  centroid: numbers(5, 2),
};

function near(a: Float32Array, b: Float32Array): boolean {
  const most = b.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return a.length === b.length && a.every((x, i) => Math.abs(x - b[i]) <= most * 2 ** -11);
}

Deno.test("decodeRow gives back what encodeRow took, to half precision of each tensor's largest number", () => {
  const { step, centroid } = decodeRow(encodeRow(ROW), SHAPES, 2, 5, "row");
  for (const [name, due] of ROW.step) {
    const found = step.get(name)! as Record<string, Float32Array>;
    assertEquals(Object.keys(found), Object.keys(due));
    for (const [part, values] of Object.entries(due)) assert(near(found[part], values), part);
  }
  assert(near(centroid, ROW.centroid));
});

Deno.test("decodeRow refuses a row of another rank, shape or size, without a tensor, with one more, with NaN", () => {
  const bytes = encodeRow(ROW);
  const refused = (of: Uint8Array, rank: number | null, dim: number, shapes = SHAPES) =>
    assertThrows(() => decodeRow(of, shapes, rank, dim, "row"), LetheError);
  refused(bytes, 1, 5);
  refused(bytes, null, 5);
  refused(bytes, 2, 8);
  refused(bytes, 2, 5, new Map([...SHAPES, ["b.bias", [2]]]));
  refused(bytes, 2, 5, new Map([...SHAPES].slice(0, 1)));
  const { weights } = parseSafetensors(bytes, "row");
  weights.get("whole/a.bias")!.values[0] = 0x7e00; // a half's NaN
  refused(encodeSafetensors(weights), 2, 5);
  weights.delete("whole/a.bias");
  refused(encodeSafetensors(weights), 2, 5);
});

Deno.test("rowBytes counts ViT-B/16's numbers from shapes, and a small kit's as they are", () => {
  const config = presetConfig(PRESETS.vit_base_patch16_224, "multi-label", new Array(40).fill("l"));
  const shapes = thetaShapes(config, 40);
  // 85.8 million numbers of two bytes; at rank 4 each matrix keeps 4 (out + in).
  assertEquals(Math.round(rowBytes(shapes, null, 768) / 1e6), 172);
  assertEquals(rowBytes(shapes, 4, 768) < 3e6, true);
  assertEquals(rowBytes(SHAPES, 2, 5), 2 * (2 * 7 + 3 + 5));
});
