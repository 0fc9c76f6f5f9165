import { createHash } from "node:crypto";
import { safetensorsHead, weightBytes } from "./encode_safetensors.ts";
import type { Weight } from "./safetensors.ts";

/**
 * Writes tensors as `encodeSafetensors` encodes them, tensor by tensor: no second copy of the weights is
 * made on the way.
 *
 * @param paths files that do not exist yet; each gets the same bytes
 * @returns the file's SHA-256 and size
 */
export async function writeSafetensors(
  paths: readonly string[],
  weights: ReadonlyMap<string, Weight>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<{ sha256: string; bytes: number }> {
  const { head, names, dataBytes } = safetensorsHead(weights, metadata);
  const hash = createHash("sha256");
  const files: Deno.FsFile[] = [];
  try {
    for (const path of paths) {
      files.push(await Deno.open(path, { write: true, createNew: true }));
    }
    const write = async (bytes: Uint8Array) => {
      hash.update(bytes);
      for (const file of files) {
        for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
      }
    };
    await write(head);
    for (const name of names) await write(weightBytes(weights.get(name)!));
  } finally {
    for (const file of files) file.close();
  }
  return { sha256: hash.digest("hex"), bytes: head.length + dataBytes };
}
