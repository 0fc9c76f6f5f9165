import { join } from "@std/path";
import { passOn } from "../../files/pass_on.ts";
import { checkWeights, CONFIG_FILE, type Model, MODEL_FILE, modelMetadata } from "../checkpoint.ts";
import { configText } from "../config.ts";
import type { Weight } from "../safetensors.ts";
import { thetaShapes } from "../theta_shapes.ts";
import { writeSafetensors } from "../write_safetensors.ts";
import { META_LOSS, STEP_SIZES, type StoredKit } from "./kit.ts";
import { encodeManifest, type KitManifest } from "./kit_manifest.ts";
import { parseKitManifest } from "./parse_kit_manifest.ts";
import { type KitPart, kitPart } from "./kit_parts.ts";
import { kitShapes } from "./kit_shapes.ts";
import { MANIFEST, RESTORE } from "./stored_manifest.ts";

/** What a request changed. */
export interface KitChange {
  readonly theta: Model["theta"];
  /** phi without the rows of the people who were forgotten. */
  readonly phi: ReadonlyMap<string, Weight>;
  /** Their embedding rows. */
  readonly rows: readonly number[];
  /** Writes a part of another method that is not passed on as it is, at the path; @returns its SHA-256. */
  readonly anew?: Readonly<Record<string, (path: string) => Promise<string>>>;
}

/** What {@link writeNextKit} wrote. */
export interface NextKit {
  /** The next kit's id. */
  readonly id: string;
  /** SHA-256 of the new model.safetensors. */
  readonly weights: string;
}

/**
 * Writes what a request leaves into an existing folder: `model/`, the new weights, and `kit/`, for the
 * next request. What the request did not change is passed on piece by piece and held against its hash on
 * the way, unread otherwise.
 *
 * @param from the folder of `kit`
 * @throws {LetheError} a file of the old kit is not what its `kit.json` says; weights that do not fit
 */
export async function writeNextKit(
  folder: string,
  from: string,
  kit: StoredKit,
  { theta, phi, rows, anew = {} }: KitChange,
): Promise<NextKit> {
  const { config } = kit.model;
  checkWeights(theta, thetaShapes(config, config.labels.length), join(folder, MODEL_FILE));
  const [model, next] = ["model", "kit"].map((name) => join(folder, name));
  for (const made of [model, next]) await Deno.mkdir(made);
  await Deno.writeTextFile(join(model, CONFIG_FILE), configText(config));
  const manifest = nextManifest(kit, rows);
  const hashes = new Map<string, string>();
  for (const { file, sha256 } of kit.manifest.files) {
    const part = kitPart(file)!;
    const to = join(next, file);
    if (file === MODEL_FILE) {
      // Into both folders at once: written as it is hashed, and read again by nobody.
      const paths = [join(model, file), to];
      const written = await writeSafetensors(paths, theta, modelMetadata(kit.model));
      hashes.set(file, written.sha256);
    } else if (file === META_LOSS) {
      checkWeights(phi, kitShapes(file, manifest, config), to);
      hashes.set(file, (await writeSafetensors([to], phi)).sha256);
    } else if (file === CONFIG_FILE) {
      await Deno.writeTextFile(to, configText(config)); // the one text that was read
      hashes.set(file, sha256);
    } else if (kit.logStepSizes && file === STEP_SIZES) {
      await writeSafetensors([to], kit.logStepSizes); // read already: its one encoding
      hashes.set(file, sha256);
    } else if (part.next === "anew") {
      hashes.set(file, await anew[file](to));
    } else {
      const { maxBytes } = part;
      await passOn(join(from, file), to, sha256, { maxBytes, remedy: RESTORE });
      hashes.set(file, sha256);
    }
    await passOnRows(part, from, next);
  }
  const { generation } = manifest;
  const { text, id } = encodeManifest({
    ...manifest,
    files: kit.manifest.files.map(({ file }) => ({
      file,
      sha256: hashes.get(file)!,
      derivedFrom: kitPart(file)!.derivedFrom(generation),
    })),
  });
  parseKitManifest(text, join(next, MANIFEST)); // what could not be read again is not written
  await Deno.writeTextFile(join(next, MANIFEST), text);
  return { id, weights: hashes.get(MODEL_FILE)! };
}

/** The manifest less its files: one generation on, without the people who were forgotten. */
export function nextManifest(
  { manifest, id }: Pick<StoredKit, "manifest" | "id">,
  rows: readonly number[],
): KitManifest {
  const { statistics, identities, forgotten } = manifest;
  return {
    ...manifest,
    version: 2,
    generation: manifest.generation + 1,
    parent: id,
    ...(statistics ? { statistics: { ...statistics, stale: true } } : {}),
    identities: identities.filter((_, row) => !rows.includes(row)),
    forgotten: [...forgotten, ...rows.map((row) => identities[row])].sort(),
    files: [],
  };
}

/** Passes on the rows that the next kit's own list still names. */
async function passOnRows({ rows, file, maxBytes }: KitPart, from: string, next: string) {
  if (rows === undefined) return;
  const path = join(next, file);
  await Deno.mkdir(join(next, rows.folder)); // also where nobody's row is left
  for (const row of rows.list(await Deno.readFile(path), path)) {
    const [source, target] = [from, next].map((kit) => join(kit, rows.folder, row.file));
    await passOn(source, target, row.sha256, { maxBytes, remedy: RESTORE });
  }
}
