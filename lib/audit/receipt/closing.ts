import { dirname, join } from "@std/path";
import { LetheError } from "../../error.ts";
import { readPlainFile } from "../../files/plain_file.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { keyFingerprint } from "../../model/kit/identity_key.ts";
import type { KitManifest } from "../../model/kit/kit_manifest.ts";
import { readManifest } from "../../model/kit/stored_manifest.ts";
import type { LedgerEntry } from "../../run/ledger.ts";
import type { Receipt } from "./receipt.ts";
import { MAX_RECEIPT_BYTES, parseReceipt, peopleOf } from "./receipt_file.ts";
import { isSealedBy } from "./seal.ts";

/** What a ledger keeps of the run that closed a request. */
export type Closing = Pick<LedgerEntry, "receipt" | "generation" | "kits">;

const REMEDY = "name the people whom that run forgot, and its own receipt.json";

/**
 * Holds people against the receipt of the run that is said to have forgotten them: how many they
 * are, with those that the ledger has closed by it already; and each of them, where the kit that the
 * run wrote is at hand and its keyed hashes tell.
 *
 * @param path of the receipt
 * @param key the kit's identity key
 * @param persons keyed hashes of those to close
 * @param known the ledger as it is
 * @param kitFolder of the kit that the run wrote; default `kit` beside the receipt, where it lies there
 * @returns `byName` false: no kit lay there, only the count was held against; `doubts`: what of the receipt
 *   shows less than it should, which is for whoever closes by it to know
 * @throws {LetheError} it is no receipt, or what is closed is not what the run did
 */
export async function closeBy(
  path: string,
  key: string,
  persons: readonly string[],
  known: readonly LedgerEntry[],
  kitFolder?: string,
): Promise<{
  readonly closing: Closing;
  readonly byName: boolean;
  readonly doubts: readonly string[];
}> {
  const remedy = "name the receipt.json of an unlearning run";
  const bytes = await readPlainFile(path, { maxBytes: MAX_RECEIPT_BYTES, remedy });
  const receipt = parseReceipt(new TextDecoder().decode(bytes), path);
  if (receipt.signer !== null && !await isSealedBy(receipt, receipt.signer)) {
    throw new LetheError(`${path} is not what its signer signed`, "no field is changed", remedy);
  }
  const kits = receipt.kitId;
  const hash = sha256Hex(bytes);
  const closed = known.filter((entry) =>
    entry.event === "done" &&
    (entry.receipt === hash || kits !== undefined && entry.kits?.after === kits.after)
  );
  const all = new Set([...closed.map(({ person }) => person), ...persons]).size;
  if (all > peopleOf(receipt)) {
    throw new LetheError(
      `${path} would have closed the requests of ${all} people`,
      `its run forgot ${peopleOf(receipt)}`,
      REMEDY,
    );
  }
  const kit = await kitOf(receipt, kitFolder ?? join(dirname(path), "kit"));
  if (kit === null && kitFolder !== undefined) {
    throw new LetheError(
      `${kitFolder} is not the kit that the run of ${path} wrote`,
      "that kit's hashes tell whom the run forgot",
      "name that one, or leave out --kit: people are counted then",
    );
  }
  if (kit !== null) holdAgainst(kit, path, key, persons);
  // Whom the ledger has closed by other runs this one did not forget.
  const others = new Set(
    known.filter((entry) => entry.event === "done" && !closed.includes(entry))
      .map(({ person }) => person),
  );
  const left = kit === null ? [] : kit.forgotten.filter((person) => !others.has(person));
  const earlier = left.length - peopleOf(receipt);
  return {
    closing: { ...(kits ? { kits } : {}), receipt: hash, generation: kit?.generation ?? null },
    byName: kit !== null,
    doubts: [...doubtsOf(receipt), ...(earlier > 0 ? [mixedWith(earlier)] : [])],
  };
}

function doubtsOf({ signer, layers }: Receipt): string[] {
  const failed = layers.filter(({ state }) => state === "failed").map(({ layer }) => layer);
  return [
    ...(signer === null ? ["is unsigned: whoever held it may have changed it"] : []),
    ...(failed.length > 0 ? [`is of a run whose proof failed: ${failed.join(", ")}`] : []),
  ];
}

/** A kit lists all people who were forgotten, by their hashes' order: nothing tells one request's from another's. */
function mixedWith(earlier: number): string {
  return `is of a kit that lists ${earlier} more whom earlier runs forgot: whether it was this run is not told`;
}

/** The kit that the run wrote, where it lies in a folder and is that one. */
async function kitOf({ written }: Receipt, folder: string): Promise<KitManifest | null> {
  const stored = await readManifest(folder).catch(() => null);
  const told = written.find(({ file }) => file === "kit/kit.json");
  return stored !== null && stored.sha256 === told?.sha256 ? stored.manifest : null;
}

function holdAgainst(
  { keyFingerprint: fingerprint, identities, forgotten }: KitManifest,
  path: string,
  key: string,
  persons: readonly string[],
): void {
  if (fingerprint !== undefined && fingerprint !== keyFingerprint(key)) {
    throw new LetheError(
      `the identity key's fingerprint is ${keyFingerprint(key)}`,
      `the kit of ${path} was made with the key of fingerprint ${fingerprint}`,
      "name the kit's own key with --identity-key",
    );
  }
  for (const person of persons) {
    if (forgotten.includes(person)) continue;
    throw new LetheError(
      `${path} does not close the request of ${person.slice(0, 16)}..`,
      identities.includes(person)
        ? "the kit that its run wrote still knows them"
        : "the kit that its run wrote never knew them under this key",
      REMEDY,
    );
  }
}
