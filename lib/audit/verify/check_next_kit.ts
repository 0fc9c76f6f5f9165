import { canonicalJson } from "../../files/canonical_json.ts";
import { MODEL_FILE } from "../../model/checkpoint.ts";
import { META_LOSS } from "../../model/kit/kit.ts";
import type { KitManifest } from "../../model/kit/kit_manifest.ts";
import { kitPart } from "../../model/kit/kit_parts.ts";
import { nextManifest } from "../../model/kit/next_kit.ts";
import { kitFiles, MANIFEST, readManifest } from "../../model/kit/stored_manifest.ts";
import { isThere, short, type Verdict } from "../layers/checks.ts";
import type { Receipt } from "../receipt/receipt.ts";
import { peopleOf } from "../receipt/receipt_file.ts";

/**
 * The next kit must come from the kit that was read, list who was forgotten and, where that kit is at hand, be
 * no other than it in anything else: it would carry something, or forget the next person otherwise.
 */
export async function checkNextKit(
  receipt: Receipt,
  folder: string,
  from: string | undefined,
): Promise<Verdict> {
  if (!await isThere(folder)) return ["absent", "it is not here"];
  const { manifest, id, sha256 } = await readManifest(folder);
  // In version 1 a kit's id was the hash of its kit.json.
  const { before = receipt.kit.find(({ file }) => file === "kit.json")?.sha256, after = id } =
    receipt.kitId ?? {};
  if (before === undefined || manifest.parent !== before) {
    return ["failed", "its parent is not the kit that was read"];
  }
  if (id !== after) return ["failed", `its id is ${short(id)}, not ${short(after)}`];
  const named = [{ file: MANIFEST, sha256 }, ...await kitFiles(folder, manifest)]
    .map((entry) => `kit/${entry.file} ${entry.sha256}`);
  const written = receipt.written.filter(({ file }) => file.startsWith("kit/"))
    .map((entry) => `${entry.file} ${entry.sha256}`);
  if (named.sort().join() !== written.sort().join()) {
    return ["failed", "it names other files than the receipt has as written"];
  }
  const people = peopleOf(receipt);
  if (manifest.forgotten.length < people) {
    return ["failed", `it lists ${manifest.forgotten.length} people as forgotten`];
  }
  const made = `made from the kit that was read; ${manifest.forgotten.length} people forgotten`;
  if (from === undefined || receipt.version === 1) return ["held", made];
  const other = otherThanNext(await readManifest(from), manifest, people);
  return other === null
    ? ["held", `${made}, and nothing else changed`]
    : ["failed", `its ${other} is not what a request makes of the kit that was read`];
}

/** What of a next kit is not what a request of so many people makes of a kit; null where all is. */
function otherThanNext(
  kit: { readonly manifest: KitManifest; readonly id: string },
  next: KitManifest,
  people: number,
): string | null {
  const { identities, files } = kit.manifest;
  const left = new Set(next.identities);
  const rows = identities.keys().filter((row) => !left.has(identities[row])).toArray();
  if (rows.length !== people) return "list of people";
  const other = otherField({ ...nextManifest(kit, rows), files: next.files }, next);
  if (other !== null) return other;
  const passedOn = ({ file }: { readonly file: string }) =>
    file !== MODEL_FILE && file !== META_LOSS && kitPart(file)?.next !== "anew";
  const hashes = (some: KitManifest["files"]) =>
    some.map((entry) => `${entry.file} ${passedOn(entry) ? entry.sha256 : ""}`).sort().join();
  return hashes(files) === hashes(next.files) ? null : "files";
}

/** The first field in which two manifests differ; null for none. */
export function otherField(a: KitManifest, b: KitManifest): string | null {
  const names = Object.keys({ ...a, ...b }) as (keyof KitManifest)[];
  const text = (value: unknown) => value === undefined ? "" : canonicalJson(value);
  return names.find((name) => text(a[name]) !== text(b[name])) ?? null;
}
