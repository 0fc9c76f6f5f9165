import { join } from "@std/path";
import {
  listRequests,
  readRequestRows,
  type RequestFiles,
  requestPeople,
} from "../data/requests/request_rows.ts";
import { refuseExisting } from "../files/write_whole.ts";
import { LetheError } from "../error.ts";
import {
  identityHash,
  type IdentityKey,
  identityKeyPath,
  keyFingerprint,
  readIdentityKey,
} from "../model/kit/identity_key.ts";
import type { KitManifest } from "../model/kit/kit_manifest.ts";
import { beginUse, refuseUsed } from "../model/kit/kit_uses.ts";
import {
  readManifest,
  refuseStrangers,
  type StoredManifest,
} from "../model/kit/stored_manifest.ts";
import { readMemoryIndex } from "../model/kit/read_memory_index.ts";
import { rowKey } from "../model/kit/sealed_row.ts";
import { checkMethod } from "../unlearn/check_method.ts";
import { type MethodName, methodOf } from "../unlearn/methods.ts";
import { encodeSummary, SUMMARY_FILE } from "./summary_file.ts";
import type { RequestedRow, UnlearnSummary } from "./unlearn_summary.ts";

/** What is to be forgotten, and where the result goes. */
export interface PlanOptions {
  /** The folder of the kit. */
  readonly kit: string;
  /** Folder of requests, an image or more per person. */
  readonly support: string;
  /** Folder to make: `model/`, `kit/` for the next request, `summary.json`. */
  readonly out: string;
  /** The identity key; default beside the kit, where the first kit's lies. */
  readonly identityKey?: string;
  /** Allows a kit that has been through a request already. */
  readonly branch?: boolean;
  /** Why, for the mark beside the kit. */
  readonly reason?: string;
  /** Serves those whom it can and lists the others, instead of refusing all. */
  readonly skipUnknown?: boolean;
  /** People of the data set whom the model was not trained on, where a split tells. */
  readonly notTrained?: ReadonlySet<string>;
  /** The sample kit, in which nobody is real: used as often as one likes, and no successor noted. */
  readonly sample?: boolean;
}

/** All of an unlearning run that needs the identity key, so that what computes never sees it. */
export interface UnlearnPlan extends StoredManifest {
  readonly key: IdentityKey;
  /** One per photograph: who gave several has as many. */
  readonly rows: readonly RequestedRow[];
  /** The files of the folder of requests. */
  readonly files: RequestFiles;
  /** Files that `skipUnknown` left out, and why. */
  readonly skipped: readonly { readonly file: string; readonly why: string }[];
}

/**
 * Finds out who asks to be forgotten: the embedding row of each request's person. Reads `kit.json`,
 * the key and `requests.csv`; no image and no weights.
 *
 * @throws UsageError there is no kit
 * @throws LetheError bad input; an identity that the kit does not know or has forgotten already; a
 *   kit with a successor; `out` exists
 */
export async function planUnlearning(options: PlanOptions): Promise<UnlearnPlan> {
  const { kit, support, out, branch = false, sample = false } = options;
  await refuseExisting(out);
  const stored = await readManifest(kit);
  const key = await keyOf(kit, stored.manifest, options.identityKey);
  await refuseStrangers(kit, stored.manifest);
  const known = stored.manifest.keyFingerprint;
  if (known !== undefined && known !== keyFingerprint(key)) {
    throw new LetheError(
      `the identity key's fingerprint is ${keyFingerprint(key)}`,
      `${kit} was made with the key of fingerprint ${known}`,
      "name the kit's own key with --identity-key",
    );
  }
  const listed = await listRequests(support);
  const isKnown = (identity: string) =>
    rowOf(stored.manifest, identityHash(key, identity)) !== "unknown" ||
    (options.notTrained?.has(identity) ?? false);
  const asked = requestPeople(await readRequestRows(support, null, listed), support, isKnown);
  const rows: RequestedRow[] = [];
  const skipped: { file: string; why: string }[] = [];
  for (const { file, identity } of asked) {
    const row = rowOf(stored.manifest, identityHash(key, identity));
    if (typeof row === "number") {
      rows.push({ file, row });
      continue;
    }
    const answer = row === "unknown" && options.notTrained?.has(identity) ? "not trained" : row;
    const [why, rule, remedy] = ANSWERS[answer];
    if (!options.skipUnknown) {
      throw new LetheError(`${join(support, file)} asks for ${why}`, rule, remedy);
    }
    skipped.push({ file, why: `asks for ${why}` });
  }
  if (rows.length === 0) {
    throw new LetheError(
      `${support} asks for nobody whom ${kit} can forget (${skipped.length} skipped)`,
      "a run forgets at least one person",
      "check the names and that the key is the kit's",
    );
  }
  // Last: the next kit, too, would be handed a request with a fault.
  if (!branch && !sample) await refuseUsed(kit, stored.id);
  const files: RequestFiles = skipped.length === 0
    ? listed
    : { images: rows.map(({ file }) => file), hasCsv: listed.hasCsv, partial: true };
  return { ...stored, key, rows, files, skipped };
}

/** Why somebody cannot be forgotten: who it is, the rule, the remedy. */
const ANSWERS = {
  forgotten: [
    "a person whom an earlier request forgot",
    "a person is forgotten once",
    "take the request out, or --skip-unknown",
  ],
  "not trained": [
    "a person whom the model was not trained on: the split has them for validation or testing",
    "a model forgets people it was trained on",
    "take the request out, or --skip-unknown",
  ],
  unknown: [
    "a person whom the kit does not know",
    "a model forgets people it was trained on, named as in its data set",
    "check the name of the file (a second photograph of 4711 is 4711.2.jpg) or its row in " +
    "requests.csv, and that the key is the kit's; " +
    "--skip-unknown serves the others",
  ],
} as const;

/**
 * The plan's rows, for methods that need it with the keys to what the kit remembers of these people: the
 * worker gets no key of anybody else, and the identity key never.
 *
 * @throws LetheError the kit's `memory.json` is damaged or does not know somebody; it lacks what
 * the method needs
 */
export async function rowsFor(
  kit: string,
  { manifest, key, rows }: UnlearnPlan,
  method: MethodName,
): Promise<readonly RequestedRow[]> {
  checkMethod(manifest, method);
  if (!methodOf(method).needs.includes("memory")) return rows;
  const index = await readMemoryIndex(kit, manifest);
  return rows.map((row) => {
    const person = manifest.identities[row.row];
    const salt = index?.people.find((known) => known.person === person)?.salt;
    return salt === undefined ? row : { ...row, key: rowKey(key, salt) };
  });
}

/** Adds the summary to a folder with `model/` and `kit/`. The identity key stays where it is. */
export async function closeUnlearning(folder: string, summary: UnlearnSummary): Promise<void> {
  await Deno.writeTextFile(join(folder, SUMMARY_FILE), encodeSummary(summary));
}

/**
 * Does a plan's work while the kit is marked as in use: nobody else can use it meanwhile, and when the
 * work is done it has been used. The sample is never marked.
 *
 * @param work makes `out`; it is given what to await when that is whole, before it takes its name
 * @returns what came of it
 * @throws LetheError another run uses the kit, or has used it, or it cannot be marked
 */
export async function whileInUse<T>(
  { kit, out, sample, branch, reason }: PlanOptions,
  { id }: UnlearnPlan,
  work: (made: (summary: UnlearnSummary) => Promise<void>) => Promise<T>,
): Promise<T> {
  if (sample) return await work(() => Promise.resolve());
  const use = await beginUse({ kit, id, out, branch, reason });
  let next: string | undefined;
  try {
    const result = await work(({ kit }) => use.made(next = kit.after));
    use.done();
    return result;
  } catch (error) {
    use.giveUp(next !== undefined && await holdsOther(join(out, "kit"), next));
    throw error;
  }
}

/** Whether another run's kit, or none, lies where the kit of an id was to go; what cannot be read may be it. */
async function holdsOther(kit: string, id: string): Promise<boolean> {
  const none = await Deno.lstat(kit).then(
    () => false,
    (error) => error instanceof Deno.errors.NotFound,
  );
  return none || await readManifest(kit).then((found) => found.id !== id, () => false);
}

/**
 * The kit's identity key. Only the first kit of a line has it beside it: whoever is handed an output
 * gets no key with it, and a manifest does not tell where one lies.
 */
async function keyOf(
  kit: string,
  { generation }: KitManifest,
  given: string | undefined,
): Promise<IdentityKey> {
  const path = given ?? identityKeyPath(kit);
  const isThere = await Deno.lstat(path).then(() => true, () => false);
  if (given === undefined && generation > 0 && !isThere) {
    throw new LetheError(
      `${kit} has no identity key beside it`,
      "the key lies beside the first kit, and no output holds a copy",
      "name it by --identity-key FILE; the run that made this kit printed where it lies",
    );
  }
  return await readIdentityKey(path);
}

/** The embedding row of a person, or why there is none. */
function rowOf(manifest: KitManifest, hash: string): number | "forgotten" | "unknown" {
  const row = manifest.identities.indexOf(hash);
  if (row >= 0) return row;
  return manifest.forgotten.includes(hash) ? "forgotten" : "unknown";
}
