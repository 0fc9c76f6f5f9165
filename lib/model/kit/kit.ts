import { join } from "@std/path";
import { readPlainFile } from "../../files/plain_file.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { buildFolder } from "../../files/write_whole.ts";
import { LetheError } from "../../error.ts";
import {
  checkWeights,
  CONFIG_FILE,
  MAX_CONFIG_BYTES,
  MAX_WEIGHT_BYTES,
  type Model,
  MODEL_FILE,
  modelFiles,
  modelOf,
} from "../checkpoint.ts";
import { parseConfig } from "../config.ts";
import { type KitManifest, parseKitManifest } from "./kit_manifest.ts";
import { covarianceShapes, type KitStatistics, STATISTICS_FILES } from "./kit_statistics.ts";
import { metaLossShapes } from "../meta_loss.ts";
import { encodeSafetensors, parseSafetensors, type Weight } from "../safetensors.ts";
import {
  MANIFEST,
  readManifest,
  refuseStrangers,
  RESTORE,
  type StoredManifest,
  utf8,
} from "./stored_manifest.ts";
import { thetaShapes } from "../theta_shapes.ts";
import { encodeTrainingImages, parseTrainingImages, TRAINING_IMAGES } from "./training_images.ts";

/** All that `unlearn` reads besides the requests (.github/ARCHITECTURE.md, section 1). */
export interface Kit {
  readonly model: Model;
  /** The meta-loss. */
  readonly phi: ReadonlyMap<string, Weight>;
  /** log s_k, a scalar per tensor of theta; absent with one global step size. */
  readonly logStepSizes?: ReadonlyMap<string, Weight>;
  /** Keyed hash of each image that was learned from; absent in kits made before there were any. */
  readonly trainingImages?: readonly string[];
  /** For SSD and PGU; `manifest.statistics` tells of them. */
  readonly statistics?: KitStatistics;
  readonly manifest: Omit<KitManifest, "version" | "files">;
}

/** A kit as it lies on the disk. */
export interface StoredKit extends Kit, StoredManifest {
  readonly manifest: KitManifest;
}

const META_LOSS = "meta_loss.safetensors";
const STEP_SIZES = "step_sizes.safetensors";
const { importances: IMPORTANCES, covariances: COVARIANCES } = STATISTICS_FILES;
/** Files that a kit may lack whatever its settings. */
const OPTIONAL: readonly string[] = [TRAINING_IMAGES, IMPORTANCES, COVARIANCES];

/** Where each file's content comes from; a kit that went through requests says so too. */
function derivedFrom(file: string, generation: number): string {
  const after = generation === 0
    ? ""
    : `, then ${generation} unlearning request${generation > 1 ? "s" : ""}`;
  const stale = generation === 0
    ? ""
    : "; stale: of the model before any request, and of everybody's images";
  const origin: Record<string, string> = {
    [MODEL_FILE]: `training images and labels${after}`,
    [CONFIG_FILE]: "settings and label names",
    [META_LOSS]: "training and validation images, labels and identities" +
      (generation === 0 ? "" : "; the embedding rows of forgotten people are gone"),
    [STEP_SIZES]: "training and validation images and labels",
    [IMPORTANCES]: `training images and labels${stale}`,
    [COVARIANCES]: `training images${stale}`,
    [TRAINING_IMAGES]: "training and validation images, as keyed hashes of their files",
  };
  return origin[file];
}

/** The files of a kit besides kit.json. */
function fileNames(stepSizes: "global" | "learned"): string[] {
  return [MODEL_FILE, CONFIG_FILE, META_LOSS, ...stepSizes === "learned" ? [STEP_SIZES] : []];
}

/** Holds every tensor against the shape that the kit's settings call for. */
function checkKit(kit: Kit, folder: string): void {
  const { model, phi, logStepSizes, statistics = {}, manifest } = kit;
  const { config, theta } = model;
  const due = thetaShapes(config, config.labels.length);
  checkWeights(theta, due, join(folder, MODEL_FILE));
  const shapes = metaLossShapes({
    inputs: manifest.unlearning.inputs,
    labels: config.labels.length,
    dim: config.dim,
    identities: manifest.identities.length,
    ...manifest.metaLoss,
  });
  checkWeights(phi, shapes, join(folder, META_LOSS));
  const scalars = new Map([...due.keys()].map((name) => [name, []]));
  if (logStepSizes) checkWeights(logStepSizes, scalars, join(folder, STEP_SIZES));
  const { importances, covariances } = statistics;
  if (importances) checkWeights(importances, due, join(folder, IMPORTANCES));
  if (covariances) {
    const squares = covarianceShapes(config, config.labels.length);
    checkWeights(covariances, squares, join(folder, COVARIANCES));
  }
}

/**
 * Writes a kit, whole or not at all, if {@link readKit} could read it.
 *
 * @returns the SHA-256 of its `kit.json`
 * @throws {LetheError} `folder` exists or cannot be written, or the kit's parts do not fit together
 */
export async function writeKit(folder: string, kit: Kit): Promise<string> {
  checkKit(kit, folder);
  const files = modelFiles(kit.model);
  files.set(META_LOSS, encodeSafetensors(kit.phi));
  if (kit.logStepSizes) files.set(STEP_SIZES, encodeSafetensors(kit.logStepSizes));
  if (kit.trainingImages) files.set(TRAINING_IMAGES, encodeTrainingImages(kit.trainingImages));
  const { importances, covariances } = kit.statistics ?? {};
  if (importances) files.set(IMPORTANCES, encodeSafetensors(importances));
  if (covariances) files.set(COVARIANCES, encodeSafetensors(covariances));
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
  const json = JSON.stringify(manifest, null, 2) + "\n";
  const path = join(folder, MANIFEST);
  checkFiles(parseKitManifest(json, path), path);
  const text = new TextEncoder().encode(json);
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
 * @throws {UsageError} there is no kit
 * @throws {LetheError} a file is missing, changed or one too many, or does not fit the others
 */
export async function readKit(folder: string): Promise<StoredKit> {
  const { manifest, sha256 } = await readManifest(folder);
  checkFiles(manifest, join(folder, MANIFEST));
  await refuseStrangers(folder, manifest);
  const contents = new Map<string, Uint8Array>();
  for (const { file, sha256: due } of manifest.files) {
    const maxBytes = file === CONFIG_FILE ? MAX_CONFIG_BYTES : MAX_WEIGHT_BYTES;
    const bytes = await readPlainFile(join(folder, file), { maxBytes, remedy: RESTORE });
    const found = sha256Hex(bytes);
    if (found !== due) {
      throw new LetheError(
        `${join(folder, file)} has SHA-256 ${found}`,
        `kit.json names ${due}`,
        RESTORE,
      );
    }
    contents.set(file, bytes);
  }
  const weightsOf = (file: string) =>
    parseSafetensors(contents.get(file)!, join(folder, file)).weights;
  const configPath = join(folder, CONFIG_FILE);
  const config = parseConfig(utf8(contents.get(CONFIG_FILE)!, configPath), configPath);
  const images = contents.get(TRAINING_IMAGES);
  const kit: StoredKit = {
    model: modelOf(config, contents.get(MODEL_FILE)!, join(folder, MODEL_FILE)),
    phi: weightsOf(META_LOSS),
    ...(contents.has(STEP_SIZES) ? { logStepSizes: weightsOf(STEP_SIZES) } : {}),
    ...(images
      ? { trainingImages: parseTrainingImages(images, join(folder, TRAINING_IMAGES)) }
      : {}),
    ...(manifest.statistics
      ? {
        statistics: {
          ...(contents.has(IMPORTANCES) ? { importances: weightsOf(IMPORTANCES) } : {}),
          ...(contents.has(COVARIANCES) ? { covariances: weightsOf(COVARIANCES) } : {}),
        },
      }
      : {}),
    manifest,
    sha256,
  };
  checkKit(kit, folder);
  return kit;
}

/** @throws {LetheError} the manifest names other files than its settings call for */
function checkFiles({ files, unlearning, statistics }: KitManifest, path: string): void {
  const due = fileNames(unlearning.stepSizes);
  const all = files.map(({ file }) => file);
  if (
    (statistics !== undefined) !== [IMPORTANCES, COVARIANCES].some((file) => all.includes(file))
  ) {
    throw new LetheError(
      `${path} names ${statistics ? "no file of" : "files of"} statistics`,
      "it tells of statistics where there are some, and nowhere else",
      RESTORE,
    );
  }
  const found = all.filter((file) => !OPTIONAL.includes(file));
  if (found.length === due.length && due.every((file) => found.includes(file))) return;
  throw new LetheError(
    `${path} names the files ${found.join(", ")}`,
    `with ${unlearning.stepSizes} step sizes they are ${due.join(", ")}`,
    RESTORE,
  );
}
