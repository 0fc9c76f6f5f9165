import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { readHashedFile } from "../../files/plain_file.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { buildFolder } from "../../files/write_whole.ts";
import {
  checkWeights,
  CONFIG_FILE,
  type Model,
  MODEL_FILE,
  modelMetadata,
  modelOf,
} from "../checkpoint.ts";
import { configText, type ModelConfig, parseConfig, requireConfigText } from "../config.ts";
import { requireCanonical } from "../encode_safetensors.ts";
import { parseSafetensors, type Weight } from "../safetensors.ts";
import { writeSafetensors } from "../write_safetensors.ts";
import { encodeManifest, type KitManifest, parseKitManifest } from "./kit_manifest.ts";
import { kitShapes } from "./kit_shapes.ts";
import {
  encodeMemoryIndex,
  MEMORY_FOLDER,
  MEMORY_INDEX,
  type MemoryIndex,
  rowFile,
} from "./memory_index.ts";
import { KIT_PARTS, type KitPart, kitPart } from "./kit_parts.ts";
import { type KitStatistics, STATISTICS_FILES } from "./kit_statistics.ts";
import {
  MANIFEST,
  readManifest,
  refuseStrangers,
  RESTORE,
  type StoredManifest,
  utf8,
} from "./stored_manifest.ts";
import {
  encodeTrainingImages,
  parseTrainingImages,
  TRAINING_IMAGES,
  type TrainingImages,
} from "./training_images.ts";

/** All that `unlearn` reads besides the requests (.github/ARCHITECTURE.md, section 1). */
export interface Kit {
  /** Weights and what they are. */
  readonly model: Model;
  /** The meta-loss. */
  readonly phi: ReadonlyMap<string, Weight>;
  /** log s_k, a scalar per tensor of theta; absent with one global step size. */
  readonly logStepSizes?: ReadonlyMap<string, Weight> | undefined;
  /** Keyed hash of each image that was learned from; absent in kits made before there were any. */
  readonly trainingImages?: Iterable<string>;
  /** For SSD, PGU and influence; `manifest.statistics` tells of them. */
  readonly statistics?: KitStatistics;
  /** What it remembers of each person; reading a kit leaves the rows where they lie. */
  readonly memory?: SealedMemory;
  /** What kit.json says. */
  readonly manifest: Omit<KitManifest, "version" | "files">;
}

/** Rows by person, as {@link sealRow} sealed them, and what names them. */
export interface SealedMemory {
  /** Where each row lies, and its hash. */
  readonly index: MemoryIndex;
  /** By name or number. */
  readonly rows:
    | Iterable<readonly [string, Uint8Array<ArrayBuffer>]>
    | AsyncIterable<readonly [string, Uint8Array<ArrayBuffer>]>;
}

/** A kit as it lies on the disk. */
export interface StoredKit extends Kit, StoredManifest {
  /** As in a {@link Kit}, where they lie in their file. */
  readonly trainingImages?: TrainingImages;
  /** What kit.json says. */
  readonly manifest: KitManifest;
}

/** The meta-loss's and the step sizes' files. */
export const META_LOSS = "meta_loss.safetensors";
export const STEP_SIZES = "step_sizes.safetensors";

/** A kit's tensors by the file that holds them; those that it has. */
function tensorsOf(kit: Kit): Map<string, ReadonlyMap<string, Weight>> {
  const { model, phi, logStepSizes, statistics = {} } = kit;
  const { importances, covariances } = statistics;
  const files = [
    [MODEL_FILE, model.theta],
    [META_LOSS, phi],
    [STEP_SIZES, logStepSizes],
    [STATISTICS_FILES.importances, importances],
    [STATISTICS_FILES.covariances, covariances],
  ] as const;
  return new Map(files.flatMap(([file, tensors]) => tensors ? [[file, tensors]] : []));
}

/** The parts that a kit of these tensors and images holds, in their order. */
function partsOf(kit: Kit): KitPart[] {
  const tensors = tensorsOf(kit);
  return KIT_PARTS.filter(({ file }) =>
    tensors.has(file) || file === CONFIG_FILE || file === TRAINING_IMAGES && kit.trainingImages ||
    file === MEMORY_INDEX && kit.memory
  );
}

/**
 * Writes a kit, whole or not at all, if {@link readKit} could read it.
 *
 * @returns the kit's id
 * @throws {LetheError} `folder` exists or cannot be written, or the kit's parts do not fit together
 */
export async function writeKit(folder: string, kit: Kit): Promise<string> {
  const manifest: KitManifest = { version: 2, ...kit.manifest, files: [] };
  const { config } = kit.model;
  const tensors = tensorsOf(kit);
  for (const [file, weights] of tensors) checkTensors(weights, file, manifest, config, folder);
  const named = (hashes: ReadonlyMap<string, string>): KitManifest => ({
    ...manifest,
    files: partsOf(kit).map(({ file, derivedFrom }) => ({
      file,
      sha256: hashes.get(file) ?? "0".repeat(64),
      derivedFrom: derivedFrom(manifest.generation),
    })),
  });
  const path = join(folder, MANIFEST);
  // Before anything is written: what could not be read again is not.
  checkFiles(parseKitManifest(encodeManifest(named(new Map())).text, path).manifest, path);
  return await buildFolder(folder, async (staging) => {
    const hashes = new Map<string, string>();
    const put = async (file: string, bytes: Uint8Array) => {
      await Deno.writeFile(join(staging, file), bytes, { createNew: true });
      hashes.set(file, sha256Hex(bytes));
    };
    for (const [file, weights] of tensors) {
      const metadata = file === MODEL_FILE ? modelMetadata(kit.model) : {};
      const { sha256 } = await writeSafetensors([join(staging, file)], weights, metadata);
      hashes.set(file, sha256);
    }
    await put(CONFIG_FILE, new TextEncoder().encode(configText(config)));
    if (kit.trainingImages) await put(TRAINING_IMAGES, encodeTrainingImages(kit.trainingImages));
    if (kit.memory) {
      const { index, rows } = kit.memory;
      await put(MEMORY_INDEX, new TextEncoder().encode(encodeMemoryIndex(index)));
      await Deno.mkdir(join(staging, MEMORY_FOLDER));
      for await (const [person, bytes] of rows) {
        await Deno.writeFile(join(staging, MEMORY_FOLDER, rowFile(person)), bytes);
      }
    }
    const { text, id } = encodeManifest(named(hashes));
    await Deno.writeTextFile(join(staging, MANIFEST), text);
    return id;
  });
}

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

/** Holds a file's tensors against the shapes that the kit's settings call for. */
function checkTensors(
  weights: ReadonlyMap<string, Weight>,
  file: string,
  manifest: KitManifest,
  config: ModelConfig,
  folder: string,
): void {
  checkWeights(weights, kitShapes(file, manifest, config), join(folder, file));
}

/** @throws {LetheError} the manifest names other files than its settings call for */
function checkFiles(manifest: KitManifest, path: string): void {
  const { files, unlearning, statistics } = manifest;
  const all = files.map(({ file }) => file);
  const { importances, covariances } = STATISTICS_FILES;
  if (
    (statistics !== undefined) !== [importances, covariances].some((file) => all.includes(file))
  ) {
    throw new LetheError(
      `${path} names ${statistics ? "no file of" : "files of"} statistics`,
      "it tells of statistics where there are some, and nowhere else",
      RESTORE,
    );
  }
  const due = (state: "always" | "may") =>
    KIT_PARTS.filter((part) => part.due(manifest) === state).map(({ file }) => file);
  const [always, may] = [due("always"), due("may")];
  const found = all.filter((file) => !may.includes(file));
  if (found.length === always.length && always.every((file) => found.includes(file))) return;
  throw new LetheError(
    `${path} names the files ${found.join(", ")}`,
    `with ${unlearning.stepSizes} step sizes they are ${always.join(", ")}`,
    RESTORE,
  );
}
