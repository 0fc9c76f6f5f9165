import { basename, join } from "@std/path";
import { readPlainFile } from "../data/plain_file.ts";
import { sha256Hex } from "../data/sha256.ts";
import { buildFolder } from "../data/whole.ts";
import { LetheError, UsageError } from "../error.ts";
import {
  checkShapes,
  CONFIG_FILE,
  type Model,
  MODEL_FILE,
  modelFiles,
  thetaShapes,
} from "./checkpoint.ts";
import { parseConfig } from "./config.ts";
import { type KitManifest, parseKitManifest } from "./kit_manifest.ts";
import { metaLossShapes } from "./meta_loss.ts";
import { encodeSafetensors, parseSafetensors, type Weight } from "./safetensors.ts";

/** All that `unlearn` reads besides the requests (DESIGN section 1). */
export interface Kit {
  readonly model: Model;
  /** The meta-loss. */
  readonly phi: ReadonlyMap<string, Weight>;
  /** log s_k, a scalar per tensor of theta; absent with one global step size. */
  readonly logStepSizes?: ReadonlyMap<string, Weight>;
  readonly manifest: Omit<KitManifest, "version" | "files">;
}

/** A kit as it lies on the disk. */
export interface StoredKit extends Kit {
  readonly manifest: KitManifest;
  /** SHA-256 of `kit.json`, which names every other file's. */
  readonly sha256: string;
}

const MANIFEST = "kit.json";
const META_LOSS = "meta_loss.safetensors";
const STEP_SIZES = "step_sizes.safetensors";
const MAX_BYTES = 8 * 2 ** 30;

/** Where each file's content comes from; a kit that went through requests says so too. */
function derivedFrom(file: string, generation: number): string {
  const after = generation === 0
    ? ""
    : `, then ${generation} unlearning request${generation > 1 ? "s" : ""}`;
  const origin: Record<string, string> = {
    [MODEL_FILE]: `training images and labels${after}`,
    [CONFIG_FILE]: "settings and label names",
    [META_LOSS]: "training and validation images, labels and identities" +
      (generation === 0 ? "" : "; the embedding rows of forgotten people are gone"),
    [STEP_SIZES]: "training and validation images and labels",
  };
  return origin[file];
}

/**
 * Writes a kit, whole or not at all.
 *
 * @returns the SHA-256 of its `kit.json`
 * @throws LetheError `folder` exists or cannot be written
 */
export async function writeKit(folder: string, kit: Kit): Promise<string> {
  const files = modelFiles(kit.model);
  files.set(META_LOSS, encodeSafetensors(kit.phi));
  if (kit.logStepSizes) files.set(STEP_SIZES, encodeSafetensors(kit.logStepSizes));
  const { generation } = kit.manifest;
  const manifest: KitManifest = {
    version: 1,
    ...kit.manifest,
    files: [...files].map(([file, bytes]) => ({
      file,
      sha256: sha256Hex(bytes),
      derivedFrom: derivedFrom(file, generation),
    })),
  };
  const text = new TextEncoder().encode(JSON.stringify(manifest, null, 2) + "\n");
  await buildFolder(folder, async (staging) => {
    for (const [name, bytes] of [...files, [MANIFEST, text] as const]) {
      await Deno.writeFile(join(staging, name), bytes);
    }
  });
  return sha256Hex(text);
}

/**
 * Reads a kit and holds every file against the hash that `kit.json` names, every tensor against the
 * shape that its settings call for.
 *
 * @throws UsageError there is no kit
 * @throws LetheError a file is missing, changed or one too many, or does not fit the others
 */
export async function readKit(folder: string): Promise<StoredKit> {
  const present = await listKit(folder);
  const path = join(folder, MANIFEST);
  const text = await readPlainFile(path, { maxBytes: MAX_BYTES });
  const manifest = parseKitManifest(new TextDecoder().decode(text), path);
  const named = new Set([MANIFEST, ...manifest.files.map(({ file }) => file)]);
  const stranger = present.find((name) => !named.has(name));
  if (stranger !== undefined) {
    throw new LetheError(
      `${join(folder, stranger)} is not named in kit.json`,
      "a kit holds what its manifest names and nothing else",
      "take the file out",
    );
  }
  const contents = new Map<string, Uint8Array>();
  for (const { file, sha256 } of manifest.files) {
    const bytes = await readPlainFile(join(folder, file), { maxBytes: MAX_BYTES });
    if (sha256Hex(bytes) !== sha256) {
      throw new LetheError(
        `${join(folder, file)} does not have the hash that kit.json names`,
        "a kit is used as it was written",
        "restore the file from the kit's copy",
      );
    }
    contents.set(file, bytes);
  }
  const weightsOf = (file: string) => {
    const bytes = contents.get(file);
    if (bytes) return parseSafetensors(bytes, join(folder, file)).weights;
    throw new LetheError(`${path} does not name ${file}`, "a kit needs it", "use an intact kit");
  };
  const configBytes = contents.get(CONFIG_FILE) ?? new Uint8Array();
  const config = parseConfig(new TextDecoder().decode(configBytes), join(folder, CONFIG_FILE));
  const theta = weightsOf(MODEL_FILE);
  const phi = weightsOf(META_LOSS);
  const { inputs, stepSizes } = manifest.unlearning;
  const shapes = metaLossShapes({
    inputs,
    labels: config.labels.length,
    dim: config.dim,
    identities: manifest.identities.length,
    ...manifest.metaLoss,
  });
  checkShapes(theta, thetaShapes(config), join(folder, MODEL_FILE));
  checkShapes(phi, shapes, join(folder, META_LOSS));
  const kit = { model: { config, theta }, phi, manifest, sha256: sha256Hex(text) };
  if (stepSizes === "global") return kit;
  const logStepSizes = weightsOf(STEP_SIZES);
  const scalars = new Map([...thetaShapes(config).keys()].map((name) => [name, []]));
  checkShapes(logStepSizes, scalars, join(folder, STEP_SIZES));
  return { ...kit, logStepSizes };
}

async function listKit(folder: string): Promise<string[]> {
  try {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(folder)) names.push(name);
    return names;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory) {
      throw new UsageError(
        `there is no kit ${folder}`,
        "unlearning needs the kit that meta-learn wrote",
        `name it with --kit, or make it with deno task meta-learn --out ${basename(folder)}`,
        { cause },
      );
    }
    throw cause;
  }
}
