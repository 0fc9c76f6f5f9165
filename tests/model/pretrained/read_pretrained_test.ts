import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { LetheError } from "../../../lib/error.ts";
import { importModel } from "../../../lib/run/import_model.ts";
import { readPretrained } from "../../../lib/model/pretrained/read_pretrained.ts";
import { encodeSafetensors } from "../../../lib/model/encode_safetensors.ts";
import type { Weight } from "../../../lib/model/safetensors.ts";
import { thetaShapes } from "../../../lib/model/theta_shapes.ts";
import { inTemporaryFolder, writeFiles } from "../../data/temporary_folder.ts";

const SHAPE = { imageSize: 16, patchSize: 8, dim: 64, depth: 1, heads: 2, layerNormEps: 1e-6 };
const THETA = new Map<string, Weight>(
  [...thetaShapes(SHAPE, 2)].map(([name, shape], at) => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(at / 100);
    return [name, { dtype: "F32", shape, values }];
  }),
);
const TIMM = {
  architecture: "vit_tiny_patch8_16",
  global_pool: "token",
  model_args: { num_heads: 2 },
  pretrained_cfg: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
};
const named = (rename: (name: string) => string, more: string[] = []) =>
  encodeSafetensors(
    new Map([
      ...[...THETA].map(([name, weight]) => [rename(name), weight] as const),
      ...more.map((name) =>
        [name, { dtype: "F32", shape: [1], values: new Float32Array(1) } as Weight] as const
      ),
    ]),
    {},
  );
const importing = (weights: string, out: string, more = {}) =>
  importModel({ weights, out, task: "multi-label", labels: ["A", "B"], ...more });

Deno.test("importModel takes from config.json what no tensor tells, and refuses contradictions", () =>
  inTemporaryFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    await writeFiles(at("timm"), {
      "model.safetensors": named((name) => name),
      "config.json": JSON.stringify(TIMM),
    });
    for (const [i, path] of [at("timm"), at("timm/model.safetensors")].entries()) {
      const { config, assumedNormalisation } = await importing(path, at(`out${i}`));
      assertEquals([config.heads, config.mean], [2, TIMM.pretrained_cfg.mean]);
      assertEquals(assumedNormalisation, false);
    }
    const half = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
    const refuses = (more: object, message: string) =>
      assertRejects(() => importing(at("timm"), at("none"), more), LetheError, message);
    await refuses({ normalisation: half }, "config.json says that the model was trained with mean");
    await refuses({ heads: 4 }, "config.json says that the model has 2");
    await writeFiles(at("timm"), {
      "config.json": JSON.stringify({ ...TIMM, model_args: { num_heads: 2, embed_dim: 128 } }),
    });
    await refuses({}, "config.json says width 128; the tensors of");
    await writeFiles(at("timm"), { "config.json": JSON.stringify({ ...TIMM, num_classes: 1000 }) });
    await refuses({}, "config.json says number of outputs 1000; the tensors of");
    const transformers = { model_type: "vit", num_attention_heads: 2, intermediate_size: 3072 };
    await writeFiles(at("timm"), { "config.json": JSON.stringify(transformers) });
    await refuses({}, "config.json says MLP width 3072; the tensors of");

    await writeFiles(folder, { "bare.safetensors": named((name) => name) });
    const bare = await importing(at("bare.safetensors"), at("bare"));
    assertEquals([bare.config.heads, bare.config.mean], [1, half.mean]);
    assertEquals(bare.assumedNormalisation, true);
    await assertRejects(() => importing(at("bare"), at("again")), LetheError, "folder of Lethe's");
  }));

Deno.test("readPretrained takes away what wrappers put before every name", () =>
  inTemporaryFolder(async (folder) => {
    for (const prefix of ["module.", "module._orig_mod.", "state_dict.", "student.vit.", "0."]) {
      await writeFiles(folder, { "w.safetensors": named((name) => prefix + name) });
      const { weights } = await readPretrained(join(folder, "w.safetensors"));
      assertEquals([...weights.keys()].toSorted(), [...THETA.keys()].toSorted(), prefix);
    }
    const body = (name: string) => name.startsWith("head.") ? name : `encoder.${name}`;
    await writeFiles(folder, { "w.safetensors": named(body) });
    const { weights } = await readPretrained(join(folder, "w.safetensors"));
    assertEquals([...weights.keys()].toSorted(), [...THETA.keys()].toSorted());
    for (
      const [more, message] of [
        ["ema.patch_embed.proj.weight", 'holds 2 models: "ema.", "encoder."'],
        ["norm.weight", 'of one name with and without "encoder."'],
      ]
    ) {
      await writeFiles(folder, { "w.safetensors": named(body, [more]) });
      await assertRejects(() => readPretrained(join(folder, "w.safetensors")), LetheError, message);
    }
  }));

Deno.test("readPretrained reads shards by their index, and refuses one that is wrong", () =>
  inTemporaryFolder(async (folder) => {
    const names = [...THETA.keys()];
    const half = (first: boolean) => names.filter((_, i) => (i < 7) === first);
    const shard = (first: boolean) =>
      encodeSafetensors(new Map(half(first).map((name) => [name, THETA.get(name)!])), {});
    const map = Object.fromEntries(
      names.map((name, i) => [name, `${i < 7 ? "a" : "b"}.safetensors`]),
    );
    const index = (weight_map: unknown) =>
      writeFiles(folder, { "model.safetensors.index.json": JSON.stringify({ weight_map }) });
    await writeFiles(folder, { "a.safetensors": shard(true), "b.safetensors": shard(false) });
    await index(map);
    const { weights } = await readPretrained(folder);
    assertEquals(new Map(weights), THETA);
    const refuses = (message: string) =>
      assertRejects(() => readPretrained(folder), LetheError, message);
    await index({ ...map, [names[0]]: "b.safetensors" });
    await refuses(`b.safetensors lacks "${names[0]}"`);
    await index({ ...map, [names[0]]: "../a.safetensors" });
    await refuses("has no weight_map");
    await index({ ...map, [names[0]]: "c.safetensors" });
    await refuses("c.safetensors does not exist");
  }));

Deno.test("readPretrained refuses other formats by name, with the line that converts", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { "pytorch_model.bin": "x", "config.json": '{"model_type": "vit"}' });
    for (const path of [folder, join(folder, "pytorch_model.bin")]) {
      const error = await assertRejects(() => readPretrained(path), LetheError);
      assert(
        error.value.includes("pytorch_model.bin holds weights pickled by PyTorch"),
        error.value,
      );
      assert(error.remedy.includes("weights_only=True"), error.remedy);
    }
    for (const name of ["a.pth", "a.pt", "a.ckpt", "tf_model.h5", "flax_model.msgpack", "a.npz"]) {
      await assertRejects(() => readPretrained(join(folder, name)), LetheError, "holds weights");
    }
    await assertRejects(
      () => readPretrained(join(folder, "gone.safetensors")),
      LetheError,
      "exist",
    );
  }));

Deno.test("importModel refuses other architectures by their tensors, with the reason", () =>
  inTemporaryFolder(async (folder) => {
    for (
      const [tensor, reason] of [
        ["fc_norm.weight", "mean of the patches"],
        ["reg_token", "register tokens"],
        ["dist_token", "distillation token"],
        ["blocks.0.ls1.gamma", "layer scale"],
        ["blocks.0.attn.q_norm.weight", "normalises queries"],
        ["attn_pool.latent", "pooling by attention"],
        ["pre_logits.fc.weight", "pre_logits between features and head"],
      ]
    ) {
      const path = join(folder, "w.safetensors");
      await writeFiles(folder, { "w.safetensors": named((name) => name, [tensor]) });
      const error = await assertRejects(() => importing(path, join(folder, "out")), LetheError);
      assert(error.message.includes(reason), error.message);
      assert(!error.message.includes("preset"), error.message);
    }
  }));
