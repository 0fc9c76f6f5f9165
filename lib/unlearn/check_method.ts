import { LetheError } from "../error.ts";
import type { KitManifest } from "../model/kit/kit_manifest.ts";
import { type KitStatistics, STATISTICS_FILES } from "../model/kit/kit_statistics.ts";
import { MEMORY_INDEX } from "../model/kit/memory_index.ts";
import { KIT_METHODS, type MethodName, methodOf } from "./methods.ts";
import type { Need } from "./methods/method.ts";

/** Sums over the training images that a kit may hold, as methods need them. */
export const STATISTICS = ["importances", "covariances"] as const satisfies readonly Need[];

/** The statistics that a method reads; others need not be loaded. */
export function statisticsNeeded(method: MethodName): (keyof KitStatistics)[] {
  const { needs } = methodOf(method);
  return STATISTICS.filter((name) => needs.includes(name));
}

/**
 * Refuses a method that the kit cannot serve; its manifest tells.
 *
 * @throws {LetheError} the kit was made without what the method needs
 */
export function checkMethod(manifest: Pick<KitManifest, "files">, method: MethodName): void {
  const files = manifest.files.map(({ file }) => file);
  if (methodOf(method).needs.includes("memory") && !files.includes(MEMORY_INDEX)) {
    throw new LetheError(
      `--method ${method} with a kit that remembers nobody`,
      "what the model memorised of each person is written down while there is a data set",
      "make the kit with deno task meta-learn --memory full, or use another method",
    );
  }
  const missing = statisticsNeeded(method).find((name) => !files.includes(STATISTICS_FILES[name]));
  if (missing === undefined) return;
  throw new LetheError(
    `--method ${method} with a kit without ${missing}`,
    `it needs the training images' ${missing}, which are computed while there is a data set`,
    "make the kit with deno task meta-learn --statistics all, or use another method",
  );
}

/** The methods that {@link checkMethod} lets through. */
export function methodsServed(manifest: Pick<KitManifest, "files">): MethodName[] {
  return KIT_METHODS.filter((method) => {
    try {
      checkMethod(manifest, method);
      return true;
    } catch (error) {
      if (error instanceof LetheError) return false;
      throw error;
    }
  });
}
