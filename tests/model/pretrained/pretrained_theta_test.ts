import { assert, assertEquals, assertThrows } from "@std/assert";
import { LetheError } from "../../../lib/error.ts";
import { inferShape } from "../../../lib/model/pretrained/infer_shape.ts";
import { TENSOR_NAMES } from "../../../lib/model/pretrained/names.ts";
import { pretrainedTheta } from "../../../lib/model/pretrained/pretrained_theta.ts";
import type { Weight } from "../../../lib/model/safetensors.ts";
import { thetaShapes } from "../../../lib/model/theta_shapes.ts";
import type { VitShape } from "../../../lib/model/vit.ts";

const SHAPE: VitShape = {
  imageSize: 16,
  patchSize: 8,
  dim: 64,
  depth: 2,
  heads: 1,
  layerNormEps: 1e-6,
};

/** theta with a different value in every element. */
function timm(labels: number): Map<string, Weight> {
  let next = 0;
  return new Map(
    [...thetaShapes(SHAPE, labels)].map(([name, shape]) => {
      const length = shape.reduce((a, b) => a * b, 1);
      const values = Float32Array.from({ length }, () => next++ / 1e5);
      return [name, { dtype: "F32", shape, values }];
    }),
  );
}

/** The same under transformers' names, as the table of names has it. */
function transformers(theta: ReadonlyMap<string, Weight>): Map<string, Weight> {
  const named = new Map<string, Weight>();
  for (const [to, from] of TENSOR_NAMES) {
    for (const block of to.includes("*") ? ["0", "1"] : [""]) {
      const { shape, values } = theta.get(to.replace("*", block))!;
      const rows = shape[0] / from.length;
      from.forEach((name, i) => {
        const size = values.length / from.length;
        const prefix = name.startsWith("classifier") ? "" : "vit.";
        named.set(prefix + name.replace("*", block), {
          dtype: "F32",
          shape: from.length === 1 ? shape : [rows, ...shape.slice(1)],
          values: values.slice(i * size, (i + 1) * size),
        });
      });
    }
  }
  return named;
}

const zeros = (...shape: number[]): Weight => ({
  dtype: "F32",
  shape,
  values: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

Deno.test("TENSOR_NAMES covers every tensor of theta once", () => {
  const names = TENSOR_NAMES.flatMap(([name]) =>
    name.includes("*") ? [0, 1].map((i) => name.replace("*", String(i))) : [name]
  );
  assertEquals(names.toSorted(), [...thetaShapes(SHAPE, 3).keys()].toSorted());
});

Deno.test("pretrainedTheta gives the same theta for timm's names and transformers'", () => {
  const theta = timm(3);
  assertEquals(pretrainedTheta(theta, SHAPE, 3, "f"), theta);
  const renamed = transformers(theta);
  assert(
    !renamed.has("cls_token") && renamed.has("vit.encoder.layer.1.attention.attention.key.bias"),
  );
  renamed.set("vit.pooler.dense.weight", zeros(64, 64));
  assertEquals(pretrainedTheta(renamed, SHAPE, 3, "f"), theta);
});

Deno.test("pretrainedTheta reads transformers' names without their prefix and without a head", () => {
  const bare = new Map(
    [...transformers(timm(3))].filter(([name]) => !name.startsWith("classifier"))
      .map(([name, weight]) => [name.replace(/^vit\./, ""), weight]),
  );
  const theta = pretrainedTheta(bare, SHAPE, 3, "f");
  const expected = timm(3);
  expected.delete("head.weight");
  expected.delete("head.bias");
  assertEquals(theta, expected);
});

Deno.test("pretrainedTheta leaves a head of another size out and resizes positions", () => {
  const theta = pretrainedTheta(timm(1000), { ...SHAPE, imageSize: 32 }, 3, "f");
  assert(!theta.has("head.weight") && !theta.has("head.bias"));
  assertEquals(theta.get("pos_embed")!.shape, [1, 17, 64]);
});

Deno.test("pretrainedTheta refuses tensors that are missing, strange or of another width", () => {
  const spoilt: [(weights: Map<string, Weight>) => void, string][] = [
    [(weights) => weights.delete("vit.encoder.layer.1.attention.attention.key.bias"), "key.bias"],
    [(weights) => weights.delete("vit.layernorm.bias"), "norm.bias"],
    [(weights) => weights.set("vit.embeddings.mask_token", zeros(1, 1, 64)), "mask_token"],
    [(weights) => weights.set("vit.layernorm.bias", zeros(32)), "norm.bias"],
  ];
  for (const [spoil, name] of spoilt) {
    const weights = transformers(timm(3));
    spoil(weights);
    assertThrows(() => pretrainedTheta(weights, SHAPE, 3, "f"), LetheError, name);
  }
});

Deno.test("inferShape reads a ViT's shape off its tensors, under either names", () => {
  const theta = timm(3);
  assertEquals(inferShape(theta, "f"), { ...SHAPE, labels: 3 });
  assertEquals(inferShape(transformers(theta), "f"), { ...SHAPE, layerNormEps: 1e-12, labels: 3 });
  assertEquals(inferShape(theta, "f", 4).heads, 4);
  assertThrows(() => inferShape(theta, "f", 3), LetheError, "3 heads do not divide it");
  assertThrows(() => inferShape(new Map([["a", zeros(1)]]), "f"), LetheError, "f has 0 blocks");
});
