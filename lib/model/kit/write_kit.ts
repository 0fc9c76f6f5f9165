import { join } from "@std/path";
import { sha256Hex } from "../../files/sha256.ts";
import { buildFolder } from "../../files/write_whole.ts";
import { CONFIG_FILE, MODEL_FILE, modelMetadata } from "../checkpoint.ts";
import { configText } from "../config.ts";
import type { Weight } from "../safetensors.ts";
import { writeSafetensors } from "../write_safetensors.ts";
import { checkFiles, checkTensors } from "./check_kit.ts";
import { type Kit, META_LOSS, STEP_SIZES } from "./kit.ts";
import { encodeManifest, type KitManifest } from "./kit_manifest.ts";
import { KIT_PARTS, type KitPart } from "./kit_parts.ts";
import { STATISTICS_FILES } from "./kit_statistics.ts";
import { encodeMemoryIndex, MEMORY_FOLDER, MEMORY_INDEX, rowFile } from "./memory_index.ts";
import { parseKitManifest } from "./parse_kit_manifest.ts";
import { MANIFEST } from "./stored_manifest.ts";
import { encodeTrainingImages, TRAINING_IMAGES } from "./training_images.ts";

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
