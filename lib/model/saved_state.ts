import { LetheError } from "../error.ts";
import { readPlainFile } from "../files/plain_file.ts";
import { writeWhole } from "../files/write_whole.ts";
import { disposeWeights, type Weights } from "../tensor/weights.ts";
import { downloadWeights, uploadWeights } from "./device_weights.ts";
import { encodeSafetensors } from "./encode_safetensors.ts";
import { parseSafetensors } from "./safetensors.ts";

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
  const named = Object.entries(sets).flatMap(([set, tensors]) =>
    Object.entries(tensors).map(([name, tensor]) => [`${set}/${name}`, tensor] as const)
  );
  const weights = await downloadWeights(Object.fromEntries(named));
  await writeWhole(
    path,
    encodeSafetensors(weights, { fingerprint, record: JSON.stringify(record) }),
  );
}

/** At most so many differing settings are named. */
const NAMED = 5;
/** A setting longer than this is named without its values. */
const LONGEST = 40;

/**
 * What differs between two runs, as `seed was 0 and is 1`.
 *
 * @param before JSON of the earlier run's settings, by name; nested ones are named by their path
 */
export function differences(before: string | undefined, now: string): string {
  const [old, given] = [settingsOf(before), settingsOf(now)];
  const names = [...new Set([...old.keys(), ...given.keys()])]
    .filter((name) => old.get(name) !== given.get(name));
  if (names.length === 0) return "its settings cannot be read";
  const said = names.slice(0, NAMED).map((name) => {
    const [was, is] = [old.get(name) ?? "unset", given.get(name) ?? "unset"];
    const short = was.length <= LONGEST && is.length <= LONGEST;
    return short ? `${name} was ${was} and is ${is}` : `${name} is another`;
  });
  const more = names.length - said.length;
  return said.join("; ") + (more > 0 ? `; and ${more} more` : "");
}

/** Settings by their path, each as JSON. */
function settingsOf(json: string | undefined): Map<string, string> {
  const found = new Map<string, string>();
  const add = (path: string, value: unknown) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      found.set(path, JSON.stringify(value));
      return;
    }
    for (const [name, inner] of Object.entries(value)) add(path ? `${path}.${name}` : name, inner);
  };
  try {
    add("", JSON.parse(json ?? "{}"));
  } catch {
    // A state that is damaged: nothing of it can be named.
  }
  return found;
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
      `${path} is the state of another run: ${differences(metadata.fingerprint, fingerprint)}`,
      "a run goes on only as it began",
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
