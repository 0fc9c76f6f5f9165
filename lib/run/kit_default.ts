import type { KitManifest } from "../model/kit/kit_manifest.ts";
import { remembers } from "../model/kit/read_memory_index.ts";
import type { MethodName } from "../unlearn/methods.ts";

/** How a kit unlearns unless told otherwise: by what it remembers of each person, if it does. */
export function kitDefault(manifest: Pick<KitManifest, "files">): MethodName {
  return remembers(manifest) ? "memory" : "metaunlearn";
}
