import { join } from "@std/path";
import { MAX_IMAGE_BYTES } from "../../data/images/decode_image.ts";
import { readRequestRows } from "../../data/requests/request_rows.ts";
import type { Split } from "../../data/split.ts";
import { LetheError } from "../../error.ts";
import { readPlainFile } from "../../files/plain_file.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { identityKeyPath, readIdentityKey } from "../../model/kit/identity_key.ts";
import { usesOf } from "../../model/kit/uses_record.ts";
import { readManifest } from "../../model/kit/stored_manifest.ts";
import { parseTrainingImages, TRAINING_IMAGES } from "../../model/kit/training_images.ts";
import type { PlanOptions } from "../../run/unlearn_plan.ts";
import { copiesLayer, type KnownImages } from "../layers/copies.ts";
import type { LayerOutcome } from "../layers/layer.ts";
import type { Plain } from "./receipt.ts";

/** What of a run its operator has to state before it begins. */
export interface LimitOptions extends PlanOptions {
  /** Goes on with a photograph that the model was trained on; the receipt says so. */
  readonly allowTrainingPhoto?: boolean;
  /** Lines for whoever runs it. */
  readonly onLine?: (line: string) => void;
}

/** What a receipt says of a used kit that was used again without a word why. */
const NO_REASON = "none given";

/**
 * Decides, before anything is computed or marked, whether a run needs a word of its operator's that is
 * not there: to unlearn by a photograph that the model was trained on, or from a kit that has been used.
 *
 * What is amiss with the inputs themselves is told by those who read them later.
 *
 * @param split whose images no request may be
 * @returns what was stated, for the receipt's settings
 * @throws {LetheError} a photograph was trained on, and nothing was stated
 */
export async function declaredLimits(
  options: LimitOptions,
  split: Split | undefined,
): Promise<Readonly<Record<string, Plain>>> {
  const limits: Record<string, Plain> = {};
  if (options.branch && !options.sample && (await priorUses(options.kit)).length > 0) {
    const reason = options.reason?.trim() || NO_REASON;
    if (reason === NO_REASON) {
      options.onLine?.(
        `--branch from ${options.kit}, which has been used, without --reason: the receipt says that ` +
          "none was given for bringing its forgotten people back",
      );
    }
    limits.branchReason = reason;
  }
  const found = await trainingPhotographs(options, split);
  if (found.length === 0) return limits;
  if (!options.allowTrainingPhoto) {
    const shown = found.slice(0, 5).map((file) => join(options.support, file)).join(", ");
    const which = found.length > 5 ? `${shown} and ${found.length - 5} more` : shown;
    throw new LetheError(
      `${which}: the model was trained on ${found.length === 1 ? "this photograph" : "these"}`,
      "a run that reads training data cannot show that it read none",
      "hand in another photograph, or state it by --allow-training-photo: the receipt will say so",
    );
  }
  return { ...limits, allowTrainingPhoto: true };
}

/**
 * The layer `copies` of a run whose operator has stated that training photographs are among its
 * requests.
 */
export function declaredCopies(outcome: LayerOutcome): LayerOutcome {
  if (outcome.state !== "failed") return outcome;
  return { ...outcome, state: "absent", detail: `declared by the operator: ${outcome.detail}` };
}

/** What requests are held against: the split's images and, by their keyed hashes, the kit's. */
export async function knownImages(
  { kit, identityKey }: Pick<PlanOptions, "kit" | "identityKey">,
  split: Split | undefined,
): Promise<KnownImages> {
  const { manifest } = await readManifest(kit);
  const named = manifest.files.some(({ file }) => file === TRAINING_IMAGES);
  const path = join(kit, TRAINING_IMAGES);
  return {
    ...(split ? { split } : {}),
    ...(named
      ? {
        kit: {
          key: await readIdentityKey(identityKey ?? identityKeyPath(kit)),
          trainingImages: parseTrainingImages(
            await readPlainFile(path, { maxBytes: 2 ** 28 }),
            path,
          ),
        },
      }
      : {}),
  };
}

/** Names of requests that are files which the model was trained on; none where that cannot be told. */
async function trainingPhotographs(
  options: LimitOptions,
  split: Split | undefined,
): Promise<string[]> {
  const found: string[] = [];
  try {
    const known = await knownImages(options, split);
    for (const { file } of await readRequestRows(options.support, null)) {
      const bytes = await readPlainFile(join(options.support, file), {
        maxBytes: MAX_IMAGE_BYTES,
      });
      if (copiesLayer([sha256Hex(bytes)], known).state === "failed") found.push(file);
    }
    return found;
  } catch (error) {
    // Whoever reads the kit, the key and the requests in earnest says what is wrong with them.
    if (error instanceof LetheError || error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function priorUses(kit: string) {
  try {
    const { id } = await readManifest(kit);
    return await usesOf(kit, id);
  } catch (error) {
    if (error instanceof LetheError) return [];
    throw error;
  }
}
