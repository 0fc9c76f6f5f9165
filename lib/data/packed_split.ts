import { createHash } from "node:crypto";
import { fileLines } from "../files/text/file_lines.ts";
import { checkedRelativePath } from "../files/relative_path.ts";
import { HASH_BYTES } from "./file_hashes.ts";
import { type FileTable, packFiles, rowOf } from "./file_table.ts";
import type { Split } from "./split.ts";
import { checkedSplit, hashMembers, SPLIT_FILE } from "./split_file.ts";

/** A split whose hashes are columns: as an object, those of CelebA alone take 90 MiB. */
export interface PackedSplit {
  readonly split: Omit<Split, "hashes">;
  /** Its files, sorted. */
  readonly table: FileTable;
  /** SHA-256 of each, {@link HASH_BYTES} bytes. */
  readonly hashes: Uint8Array;
  /** `splitHash`, and the SHA-256 of the file. */
  readonly sha256: string;
  readonly file: string;
}

const BEGIN = '  "hashes": {';
const MEMBER = /^ {4}("(?:[^"\\]|\\.)*"): "([0-9a-f]{64})"(,?)$/;
/** As numbers they would be the first of an object. */
const NUMBER = /^\d+$/;

/**
 * Reads a split line by line, as `writeSplit` writes it: hashes are the last field, a line each, in the order
 * of their files. What is accepted is JSON that `readSplit` reads as the same split.
 *
 * @returns null where the file has another form, or is wrong in any way: `readSplit` takes it or says why not
 */
export async function readPackedSplit(path: string): Promise<PackedSplit | null> {
  const ofFile = createHash("sha256");
  const hash = createHash("sha256");
  await using lines = fileLines(path, SPLIT_FILE, (piece) => ofFile.update(piece));
  const rest = await readHead(lines);
  if (!rest) return null;
  hash.update("{");
  for (const [name, value] of Object.entries(rest)) {
    if (name === "hashes") hash.update(`${JSON.stringify(name)}:`);
    else hash.update(`${JSON.stringify(name)}:${JSON.stringify(value)},`);
  }
  const members = hashMembers(hash);
  const files: string[] = [];
  const hashes = growing();
  let more = true;
  while (more) {
    const match = MEMBER.exec((await lines.next()).value ?? "");
    if (!match) return null;
    const file = parsed(match[1]);
    if (typeof file !== "string" || NUMBER.test(file)) return null;
    if (files.length > 0 && !(files[files.length - 1] < file)) return null;
    files.push(checkedRelativePath(file, `${path}: the field hashes`));
    hashes.add(match[2]);
    members.add(file, match[2]);
    more = match[3] === ",";
  }
  members.end();
  hash.update("}");
  for (const end of ["  }", "}"]) if ((await lines.next()).value !== end) return null;
  if (!(await lines.next()).done) return null;
  const table = packFiles(files);
  const { hashes: _, ...split } = checkedSplit(rest, path, (file) => rowOf(table, file) >= 0);
  return {
    ...{ split, table, hashes: hashes.bytes() },
    ...{ sha256: hash.digest("hex"), file: ofFile.digest("hex") },
  };
}

/** The fields before the hashes, and an empty object of these; null where it is no JSON so far. */
async function readHead(lines: AsyncGenerator<string, undefined>): Promise<Split | null> {
  const head: string[] = [];
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    head.push(next.value);
    if (next.value !== BEGIN) continue;
    const value = parsed(head.join("\n") + "}}");
    const isLast = typeof value === "object" && value !== null &&
      Object.keys(value).at(-1) === "hashes";
    return isLast ? value as Split : null; // checked once the hashes are there
  }
  return null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Hashes one after the other, of which nobody knows how many there will be. */
function growing() {
  let [all, length] = [new Uint8Array(64 * HASH_BYTES), 0];
  return {
    add(hash: string): void {
      if (length + HASH_BYTES > all.length) {
        const larger = new Uint8Array(2 * all.length);
        larger.set(all);
        all.buffer.transfer(0);
        all = larger;
      }
      all.subarray(length, length + HASH_BYTES).setFromHex(hash);
      length += HASH_BYTES;
    },
    bytes: () => all.subarray(0, length),
  };
}
