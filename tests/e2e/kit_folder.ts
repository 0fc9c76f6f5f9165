import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { sha256Hex } from "../../lib/files/sha256.ts";
import { identityHash } from "../../lib/model/kit/identity_key.ts";
import { parseSafetensors } from "../../lib/model/safetensors.ts";
import { tree } from "./small_path.ts";

/** The photographs of `requests/`, in order. */
export async function photos(folder: string): Promise<string[]> {
  return (await tree(join(folder, "requests"))).filter((name) => name.endsWith(".png"));
}

/** A folder of requests that holds only the photographs named; no requests.csv. */
export async function pick(folder: string, names: readonly string[], to: string): Promise<void> {
  await Deno.mkdir(join(folder, to));
  for (const name of names) {
    await Deno.copyFile(join(folder, "requests", name), join(folder, to, name));
  }
}

/** A JSON file's content. */
export async function json(...path: string[]) {
  return JSON.parse(await Deno.readTextFile(join(...path)));
}

/** A file's SHA-256. */
export async function fileHash(path: string): Promise<string> {
  return sha256Hex(await Deno.readFile(path));
}

/** WASM is ready at once; what is computed on is seldom the point. */
export const WASM: readonly string[] = ["--device", "wasm"];
/**
 * Deno's walls alone, where walls are not the point: behind them the workers of one test file start from
 * what the first of them compiled, and bubblewrap's worker compiles all of Lethe and tfjs each time.
 */
export const DENO_WALLS: readonly string[] = ["--sandbox", "deno"];

/** The arguments of `unlearn`, behind {@link DENO_WALLS}. */
export function unlearning(
  support: string,
  kit = "kit",
  out = "unlearned",
  device = WASM,
): string[] {
  // The first kit's key lies beside it, and serves every later one.
  const key = kit.endsWith("/kit") ? ["--identity-key", "kit.identity-key"] : [];
  return ["--support", support, "--kit", kit, ...key, "--out", out, ...device, ...DENO_WALLS];
}

/** Rows of the identity embedding by the hash that stands for the person. */
export async function embeddingRows(kit: string): Promise<Map<string, number[]>> {
  const bytes = await Deno.readFile(join(kit, "meta_loss.safetensors"));
  const { shape: [count, width], values } = parseSafetensors(bytes, kit).weights
    .get("embed.weight")!;
  const { identities } = await json(kit, "kit.json");
  assertEquals(identities.length, count);
  return new Map(identities.map((hash: string, row: number) => [
    hash,
    [...values.subarray(row * width, (row + 1) * width)],
  ]));
}

/** What the kit's manifest holds for the person on a photograph. */
export async function hashOf(folder: string, photo: string): Promise<string> {
  const key = (await Deno.readTextFile(join(folder, "kit.identity-key"))).trim();
  return identityHash(key, photo.replace(".png", ""));
}
