import { LetheError } from "../error.ts";
import { readPlainFile } from "../files/plain_file.ts";
import { writeWhole } from "../files/write_whole.ts";
import { disposeWeights, type Weights } from "../tensor/weights.ts";
import { downloadWeights, uploadWeights } from "./device_weights.ts";
import { encodeSafetensors, parseSafetensors } from "./safetensors.ts";

/** A stopped run: named sets of tensors and a record that is not tensors. */
export interface SavedState<T> {
  readonly sets: Readonly<Record<string, Weights>>;
  readonly record: T;
}

/** States grow with the model: theta, the best theta and two moments each. */
const MAX_BYTES = 16 * 2 ** 30;

/**
 * Writes a run's state as one safetensors file, so that it is replaced whole.
 *
 * @param fingerprint all that the run's bits depend on; a state only serves the same run
 */
export async function saveState<T>(
  path: string,
  fingerprint: string,
  { sets, record }: SavedState<T>,
): Promise<void> {
  const weights = new Map();
  for (const [set, tensors] of Object.entries(sets)) {
    for (const [name, weight] of await downloadWeights(tensors)) {
      weights.set(`${set}/${name}`, weight);
    }
  }
  await writeWhole(
    path,
    encodeSafetensors(weights, { fingerprint, record: JSON.stringify(record) }),
  );
}

/**
 * Reads what {@link saveState} wrote.
 *
 * @returns null where there is no such file; the tensors are the caller's
 * @throws LetheError the state is another run's, or damaged
 */
export async function loadState<T>(
  path: string,
  fingerprint: string,
): Promise<SavedState<T> | null> {
  try {
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  const { weights, metadata } = parseSafetensors(
    await readPlainFile(path, { maxBytes: MAX_BYTES }),
    path,
  );
  if (metadata.fingerprint !== fingerprint) {
    throw new LetheError(
      `${path} is the state of a run with other settings, data or device`,
      "a run resumes only as it began",
      "repeat the earlier command, or remove that file to start anew",
    );
  }
  const sets: Record<string, Weights> = {};
  const uploaded = uploadWeights(weights);
  try {
    for (const [key, tensor] of Object.entries(uploaded)) {
      const slash = key.indexOf("/");
      sets[key.slice(0, slash)] = { ...sets[key.slice(0, slash)], [key.slice(slash + 1)]: tensor };
    }
    return { sets, record: JSON.parse(metadata.record) as T };
  } catch (cause) {
    disposeWeights(uploaded);
    throw new LetheError(`${path} has no readable record`, "a state holds one", "remove it", {
      cause,
    });
  }
}
