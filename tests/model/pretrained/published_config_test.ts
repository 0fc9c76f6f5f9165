import { assertEquals, assertThrows } from "@std/assert";
import { LetheError } from "../../../lib/error.ts";
import { publishedConfig } from "../../../lib/model/pretrained/published_config.ts";

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const TIMM = { architecture: "vit_base_patch16_224", global_pool: "token", num_features: 64 };
const HF = { architectures: ["ViTForImageClassification"], model_type: "vit" };
const refuses = (config: Record<string, unknown>, message: string) =>
  assertThrows(() => publishedConfig(config, "config.json"), LetheError, message);

Deno.test("publishedConfig takes heads, epsilon, sizes and normalisation of transformers'", () => {
  const config = {
    ...HF,
    hidden_size: 96,
    num_attention_heads: 12,
    layer_norm_eps: 1e-3,
    image_size: 32,
    patch_size: 8,
    hidden_act: "gelu",
  };
  const preprocessor = { image_mean: IMAGENET.mean, image_std: IMAGENET.std };
  assertEquals(publishedConfig(config, "config.json", preprocessor), {
    file: "config.json",
    heads: 12,
    layerNormEps: 1e-3,
    imageSize: 32,
    patchSize: 8,
    dim: 96,
    ...IMAGENET,
  });
  assertEquals(publishedConfig(HF, "config.json"), { file: "config.json" });
});

Deno.test("publishedConfig takes heads and normalisation of timm's, in the new place and the old", () => {
  const said = { file: "config.json", heads: 2, dim: 64, ...IMAGENET };
  const args = { num_heads: 2 };
  const now = { ...TIMM, model_args: args, pretrained_cfg: IMAGENET };
  assertEquals(publishedConfig(now, "config.json"), said);
  assertEquals(publishedConfig({ ...TIMM, model_args: args, ...IMAGENET }, "config.json"), said);
});

Deno.test("publishedConfig refuses what Lethe does not compute, with the reason", () => {
  for (const act of ["relu", "gelu_new", "gelu_pytorch_tanh", "quick_gelu", "silu"]) {
    refuses({ ...HF, hidden_act: act }, `hidden_act is "${act}"; Lethe computes the exact GELU`);
    refuses({ ...TIMM, model_args: { act_layer: act } }, `act_layer is "${act}"`);
  }
  for (const type of ["deit", "dinov2", "vit_mae", "swin"]) {
    refuses({ ...HF, model_type: type }, type);
  }
  refuses({ ...HF, qkv_bias: false }, "qkv_bias is false");
  for (const pool of ["avg", "map", ""]) {
    refuses({ ...TIMM, global_pool: pool }, `global_pool is "${pool}"`);
    refuses({ ...TIMM, model_args: { global_pool: pool } }, `global_pool is "${pool}"`);
  }
  refuses({ ...TIMM, architecture: "resnet50" }, 'architecture is "resnet50"');
  refuses({ ...TIMM, architecture: "vit_base_patch14_dinov2" }, "dinov2");
  for (const name of ["fc_norm", "pre_norm", "qk_norm", "no_embed_class"]) {
    refuses({ ...TIMM, model_args: { [name]: true } }, `model_args.${name} is true`);
    publishedConfig({ ...TIMM, model_args: { [name]: false } }, "config.json");
  }
  refuses({ ...TIMM, model_args: { reg_tokens: 4 } }, "reg_tokens is 4");
  refuses({ ...TIMM, model_args: { class_token: false } }, "class_token is false");
});

Deno.test("publishedConfig refuses fields without sense", () => {
  refuses({ ...HF, num_attention_heads: 0 }, "num_attention_heads is 0");
  refuses({ ...HF, num_attention_heads: "12" }, 'num_attention_heads is "12"');
  refuses({ ...HF, layer_norm_eps: 1 }, "layer_norm_eps is 1");
  refuses({ ...TIMM, pretrained_cfg: { mean: [0.5], std: [0.5] } }, "mean is [0.5]");
  refuses({ ...TIMM, pretrained_cfg: { mean: [0, 0, 0], std: [1, 0, 1] } }, "std is [1,0,1]");
});
