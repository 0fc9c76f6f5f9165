import { readPlainFile } from "../../files/plain_file.ts";
import { writeWhole } from "../../files/write_whole.ts";
import { encodeSafetensors } from "../../model/encode_safetensors.ts";
import { parseSafetensors, type Weight } from "../../model/safetensors.ts";
import type { KitForMethods } from "./kit_for_methods.ts";

const MAX_BYTES = 16 * 2 ** 30;
const PARTS = ["importances", "covariances"] as const;

/**
 * What a kit holds for the methods compared with, from where a stopped run left it; else computed, and left
 * there for the same run.
 *
 * @param fingerprint JSON of all that it depends on; what another run left is computed anew
 */
export async function keptForMethods(
  path: string,
  fingerprint: string,
  compute: () => Promise<KitForMethods>,
): Promise<KitForMethods> {
  const kept = await Deno.lstat(path).then(() => true, () => false);
  if (kept) {
    const { weights, metadata } = parseSafetensors(
      await readPlainFile(path, { maxBytes: MAX_BYTES }),
      path,
    );
    if (metadata.fingerprint === fingerprint) return restored(weights, metadata.record);
  }
  const computed = await compute();
  const { statistics, ...rest } = computed;
  const weights = PARTS.flatMap((part) =>
    [...statistics?.files[part] ?? []].map(([name, weight]) => [`${part}/${name}`, weight] as const)
  );
  const record = JSON.stringify({ ...rest, record: statistics?.record ?? null });
  await writeWhole(path, encodeSafetensors(new Map(weights), { fingerprint, record }));
  return computed;
}

function restored(weights: ReadonlyMap<string, Weight>, text: string): KitForMethods {
  const { record, ...rest } = JSON.parse(text);
  if (record === null) return { ...rest, statistics: null };
  const of = (part: typeof PARTS[number]) => {
    const own = [...weights].filter(([name]) => name.startsWith(`${part}/`))
      .map(([name, weight]) => [name.slice(part.length + 1), weight] as const);
    return own.length === 0 ? {} : { [part]: new Map(own) };
  };
  return { ...rest, statistics: { files: Object.assign({}, ...PARTS.map(of)), record } };
}
