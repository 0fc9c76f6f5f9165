import { LetheError } from "../../error.ts";
import { shellWord } from "../../files/shell_word.ts";

const PYTORCH = /\.(bin|pt|pth|ckpt|pkl)$/i;
const OTHERS: readonly [RegExp, string][] = [
  [/\.h5$/i, "TensorFlow's"],
  [/\.msgpack$/i, "Flax's"],
  [/\.npz$/i, "JAX's"],
  [/\.onnx$/i, "ONNX's"],
  [/\.gguf$/i, "GGUF"],
];

/**
 * Refuses weights of formats that are not read, by name: pickled files can run any code when they are
 * opened, and the others are no safetensors.
 *
 * @param path of a file that was asked for, or found in place of model.safetensors
 */
export function refuseOtherFormats(path: string): void {
  const folder = path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  const target = `${folder}model.safetensors`;
  if (PYTORCH.test(path)) {
    const [from, to] = [path, target].map((each) => JSON.stringify(each));
    const code = "import torch, safetensors.torch as s; " +
      `w = torch.load(${from}, map_location="cpu", weights_only=True); ` +
      `s.save_file({k: v.contiguous() for k, v in w.items()}, ${to})`;
    throw new LetheError(
      `${path} holds weights pickled by PyTorch`,
      "Lethe reads .safetensors: opening a pickled file can run any code that is in it",
      `convert it where PyTorch is: python3 -c ${shellWord(code)}`,
    );
  }
  const other = OTHERS.find(([pattern]) => pattern.test(path));
  if (!other) return;
  throw new LetheError(
    `${path} holds weights in ${other[1]} format`,
    "Lethe reads .safetensors",
    "get the model's .safetensors, which most hubs offer beside it",
  );
}
