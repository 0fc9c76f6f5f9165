import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { checkWeights } from "../checkpoint.ts";
import type { ModelConfig } from "../config.ts";
import type { Weight } from "../safetensors.ts";
import type { KitManifest } from "./kit_manifest.ts";
import { KIT_PARTS } from "./kit_parts.ts";
import { kitShapes } from "./kit_shapes.ts";
import { STATISTICS_FILES } from "./kit_statistics.ts";
import { RESTORE } from "./stored_manifest.ts";

/** Holds a file's tensors against the shapes that the kit's settings call for. */
export function checkTensors(
  weights: ReadonlyMap<string, Weight>,
  file: string,
  manifest: KitManifest,
  config: ModelConfig,
  folder: string,
): void {
  checkWeights(weights, kitShapes(file, manifest, config), join(folder, file));
}

/** @throws {LetheError} the manifest names other files than its settings call for */
export function checkFiles(manifest: KitManifest, path: string): void {
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
