import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { readHashedFile } from "../../files/plain_file.ts";
import { CONFIG_FILE, type Model, MODEL_FILE, modelOf } from "../checkpoint.ts";
import { type ModelConfig, parseConfig, requireConfigText } from "../config.ts";
import { requireCanonical } from "../encode_safetensors.ts";
import { parseSafetensors, type Weight } from "../safetensors.ts";
import { checkFiles, checkTensors } from "./check_kit.ts";
import { META_LOSS, STEP_SIZES, type StoredKit } from "./kit.ts";
import type { KitManifest } from "./kit_manifest.ts";
import { kitPart } from "./kit_parts.ts";
import { type KitStatistics, STATISTICS_FILES } from "./kit_statistics.ts";
import {
  MANIFEST,
  readManifest,
  refuseStrangers,
  RESTORE,
  type StoredManifest,
  utf8,
} from "./stored_manifest.ts";
import { parseTrainingImages, TRAINING_IMAGES } from "./training_images.ts";

/** What {@link readKit} reads besides the model, phi and step sizes. */
export interface KitChoice {
  /** Statistics to load; default all that there are. The others are neither read nor parsed. */
  readonly statistics?: readonly (keyof KitStatistics)[];
  /** What {@link openKit} and {@link readKitConfig} gave, so that no file is read twice. */
  readonly opened?: { readonly stored: StoredManifest; readonly config: ModelConfig };
  /** Whether to load the keyed hashes of training images; default they are. */
  readonly trainingImages?: boolean;
}

/**
 * Reads a kit and holds every file that it reads against the hash that `kit.json` names, every tensor
 * against the shape that its settings call for, every byte against what Lethe would have written.
 *
 * @throws {UsageError} there is no kit
 * @throws {LetheError} a file is missing, changed or one too many, or does not fit the others
 */
export async function readKit(folder: string, choice: KitChoice = {}): Promise<StoredKit> {
  const stored = choice.opened?.stored ?? await openKit(folder);
  const { manifest } = stored;
  const config = choice.opened?.config ?? await readKitConfig(folder, stored);
  const tensors = async (file: string) => {
    if (!manifest.files.some((entry) => entry.file === file)) return undefined;
    const bytes = await readPart(folder, manifest, file);
    const path = join(folder, file);
    if (file === MODEL_FILE) return modelOf(config, bytes, path);
    const parsed = parseSafetensors(bytes, path);
    checkTensors(parsed.weights, file, manifest, config, folder);
    requireCanonical(bytes, parsed, path, kitPart(file)!.metadata);
    return parsed.weights;
  };
  const model = await tensors(MODEL_FILE) as Model;
  const phi = await tensors(META_LOSS) as ReadonlyMap<string, Weight>;
  const logStepSizes = await tensors(STEP_SIZES) as ReadonlyMap<string, Weight> | undefined;
  const statistics: Record<string, ReadonlyMap<string, Weight>> = {};
  for (const name of choice.statistics ?? ["importances", "covariances"] as const) {
    const weights = await tensors(STATISTICS_FILES[name]);
    if (weights) statistics[name] = weights as ReadonlyMap<string, Weight>;
  }
  const hasImages = manifest.files.some(({ file }) => file === TRAINING_IMAGES);
  const images = hasImages && choice.trainingImages !== false
    ? await readPart(folder, manifest, TRAINING_IMAGES)
    : undefined;
  return {
    ...{ model, phi },
    ...(logStepSizes ? { logStepSizes } : {}),
    ...(images
      ? { trainingImages: parseTrainingImages(images, join(folder, TRAINING_IMAGES)) }
      : {}),
    ...(manifest.statistics ? { statistics } : {}),
    ...stored,
  };
}

/** A kit's manifest, held against the files that lie there. @throws {LetheError} as {@link readKit} */
export async function openKit(folder: string): Promise<StoredManifest> {
  const stored = await readManifest(folder);
  checkFiles(stored.manifest, join(folder, MANIFEST));
  await refuseStrangers(folder, stored.manifest);
  return stored;
}

/** A kit's `config.json` alone. @throws {LetheError} as {@link readKit} */
export async function readKitConfig(
  folder: string,
  { manifest }: StoredManifest,
): Promise<ModelConfig> {
  const path = join(folder, CONFIG_FILE);
  const text = utf8(await readPart(folder, manifest, CONFIG_FILE), path);
  const config = parseConfig(text, path);
  requireConfigText(config, text, path);
  return config;
}

/**
 * The content of one of a kit's files, read and hashed once.
 *
 * @throws {LetheError} it is missing, no plain file, or has another hash than `kit.json` names
 */
export async function readPart(
  folder: string,
  { files }: KitManifest,
  file: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const due = files.find((entry) => entry.file === file)!.sha256;
  const path = join(folder, file);
  const { maxBytes } = kitPart(file)!;
  const { bytes, sha256 } = await readHashedFile(path, { maxBytes, remedy: RESTORE });
  if (sha256 !== due) {
    throw new LetheError(`${path} has SHA-256 ${sha256}`, `kit.json names ${due}`, RESTORE);
  }
  return bytes;
}
