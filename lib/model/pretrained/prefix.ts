import { LetheError } from "../../error.ts";
import { shown } from "../../files/json_fields.ts";
import type { Weight } from "../safetensors.ts";

/** The patch embedding, which every ViT has once, and what stands before it. */
const PATCHES =
  /^(.*?)(?:patch_embed\.proj|(?:vit\.)?embeddings\.patch_embeddings\.projection)\.weight$/s;

/**
 * Takes away what wrappers put before the tensors' names: `module.` of DataParallel, `_orig_mod.` of
 * torch.compile, `state_dict.`, `backbone.` and whatever a training framework calls its model. A head
 * may lie outside of it.
 *
 * @param file for errors
 * @throws {LetheError} there are several models, or two tensors would have one name
 */
export function withoutPrefix(
  weights: ReadonlyMap<string, Weight>,
  file: string,
): ReadonlyMap<string, Weight> {
  const prefixes = [...weights.keys()].flatMap((name) => PATCHES.exec(name)?.[1] ?? []);
  if (prefixes.length > 1) {
    throw new LetheError(
      `${file} holds ${prefixes.length} models: ${prefixes.map((name) => shown(name)).join(", ")}`,
      "one is read",
      "save the one that is meant, without the others",
    );
  }
  const [prefix = ""] = prefixes;
  if (prefix === "") return weights;
  const renamed = new Map(
    [...weights].map(([name, weight]) => [
      name.startsWith(prefix) ? name.slice(prefix.length) : name,
      weight,
    ]),
  );
  if (renamed.size === weights.size) return renamed;
  throw new LetheError(
    `${file} has tensors of one name with and without ${shown(prefix)}`,
    "one of each is read",
    "save the model without its wrapper",
  );
}
