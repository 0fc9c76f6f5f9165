import { assert, assertEquals, assertLess, assertStrictEquals, assertThrows } from "@std/assert";
import { LetheError } from "../../../lib/error.ts";
import { resizePositions } from "../../../lib/model/pretrained/resize_positions.ts";
import type { Weight } from "../../../lib/model/safetensors.ts";

/** A grid of three by three, two wide, below the CLS token's row. */
const POSITIONS = [1, 2, 0.5, -1, 3, 0, 2, 2, 1, -4, 0, 0.25, -2, 1, 5, 3, 0.125, 7, 1, 1];

/** `torch_vit.py resize` of {@link POSITIONS}, PyTorch 1.13: rows that tell directions apart. */
const BY_TORCH = {
  2: [1, 2, 1.07390332, -1.65285993, 1.05008411, 1.09468055, 2.34671807, 2.05410385, -0.29723558]
    .concat(2.41970372),
  5: [1, 2, 0.25364909, -0.83054471, 1.47317648, -0.60264724, 3.22641492, -0.01886792, 2.74992919]
    .concat(1.37468338, 2.23211074, 2.23353481, 0.38714442, -2.52802014, 1.06965637, -1.69462872),
};

const weight = (shape: number[], values: number[]): Weight => ({
  dtype: "F32",
  shape,
  values: Float32Array.from(values),
});

Deno.test("resizePositions gives PyTorch's antialiased bicubic, smaller and larger", () => {
  for (const [side, expected] of Object.entries(BY_TORCH)) {
    const { shape, values } = resizePositions(weight([1, 10, 2], POSITIONS), Number(side), "f");
    assertEquals(shape, [1, Number(side) ** 2 + 1, 2]);
    assertEquals(values.length, (Number(side) ** 2 + 1) * 2);
    expected.forEach((value, i) => assertLess(Math.abs(values[i] - value), 1e-5, `${side}: ${i}`));
  }
});

Deno.test("resizePositions leaves a grid that fits as it is, and a constant one constant", () => {
  const given = weight([1, 10, 2], POSITIONS);
  assertStrictEquals(resizePositions(given, 3, "f"), given);
  const flat = resizePositions(weight([1, 17, 1], [9, ...new Array(16).fill(3)]), 7, "f");
  assertEquals(flat.values[0], 9);
  assert(flat.values.subarray(1).every((value) => Math.abs(value - 3) < 1e-5));
});

Deno.test("resizePositions refuses what is no square grid with a CLS token", () => {
  for (const shape of [[1, 9, 2], [1, 12, 2], [10, 2], [2, 10, 1], [1, 1, 4]]) {
    const values = new Array(shape.reduce((a, b) => a * b)).fill(0);
    assertThrows(() => resizePositions(weight(shape, values), 2, "f"), LetheError, "pos_embed");
  }
});
