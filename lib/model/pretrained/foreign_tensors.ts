import { LetheError } from "../../error.ts";

/** Tensors of ViTs that compute something else, and what that is. */
const FOREIGN: readonly [RegExp, string][] = [
  [/(^|\.)fc_norm\./, "its head reads the mean of the patches, not the CLS token"],
  [/(^|\.)attn_pool\./, "its head reads a pooling by attention, not the CLS token"],
  [/(^|\.)(reg_token|register_tokens)$/, "it has register tokens beside the CLS token"],
  [
    /(^|\.)(dist_token|distillation_token|head_dist\.|distillation_classifier\.)/,
    "it has a distillation token and a second head",
  ],
  [/\.(ls[12]\.gamma|layer_scale[12]\.lambda1|gamma_[12])$/, "its blocks have layer scale"],
  [/\.(q_norm|k_norm)\./, "its attention normalises queries and keys"],
  [/(^|\.)(norm_pre|pre_layrnorm|layernorm_pre)\./, "it has a norm before the first block"],
  [/\.(relative_position|rel_pos)/, "its positions are relative"],
  [/\.mlp\.(w12|w3|fc1_g|fc1_x|weights_in)\./, "its blocks have gated MLPs"],
];

/**
 * Refuses weights of a ViT that Lethe does not compute, with the reason.
 *
 * @param names of its tensors
 * @throws {LetheError} one of them is of another architecture
 */
export function refuseForeignTensors(names: Iterable<string>, file: string): void {
  for (const name of names) {
    const found = FOREIGN.find(([pattern]) => pattern.test(name));
    if (!found) continue;
    throw new LetheError(
      `${file} has the tensor ${name}: ${found[1]}`,
      "Lethe computes the plain ViT, whose head reads the CLS token",
      "use the weights of a plain ViT, such as vit_base_patch16_224 with global_pool token",
    );
  }
}

/** Whether a layer stands between the features and the head, so that the head makes no sense without it. */
export function hasPreLogits(names: Iterable<string>): boolean {
  return [...names].some((name) => /(^|\.)pre_logits\./.test(name));
}
