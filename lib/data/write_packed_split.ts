import { createHash } from "node:crypto";
import { writeWhole } from "../files/write_whole.ts";
import { type HashedFiles, openHashes } from "./file_hashes.ts";
import { fileAt, fileCount } from "./file_table.ts";
import type { Split } from "./split.ts";
import { hashMembers } from "./split_file.ts";

/** Characters that are written at a time, and a file's line more. */
const PIECE = 2 ** 16;

/**
 * Writes a split whose hashes are columns, line by line: the bytes of `writeSplit`, without the object and
 * the text of all of them, which for CelebA come to 130 MiB.
 *
 * @returns the SHA-256 of its content, as `splitHash` takes it, and of the file
 * @throws {LetheError} when the file cannot be written
 */
export async function writePackedSplit(
  path: string,
  split: Omit<Split, "hashes">,
  files: HashedFiles,
): Promise<{ sha256: string; file: string }> {
  const [content, file] = [createHash("sha256"), createHash("sha256")];
  content.update(`${JSON.stringify(split).slice(0, -1)},"hashes":`);
  const members = hashMembers(content);
  await writeWhole(path, written());
  members.end();
  content.update("}");
  return { sha256: content.digest("hex"), file: file.digest("hex") };

  function* written(): Generator<Uint8Array> {
    const encoder = new TextEncoder();
    for (const text of piecesOf(split, files, members.add)) {
      const bytes = encoder.encode(text);
      file.update(bytes);
      yield bytes;
    }
  }
}

function* piecesOf(
  split: Omit<Split, "hashes">,
  { table, hashes }: HashedFiles,
  onMember: (file: string, sha256: string) => void,
): Generator<string> {
  using reader = openHashes(hashes);
  const end = "}\n}";
  let text = JSON.stringify({ ...split, hashes: {} }, null, 2).slice(0, -end.length);
  const count = fileCount(table);
  for (let row = 0; row < count; row++) {
    const [file, sha256] = [fileAt(table, row), reader.at(row)];
    onMember(file, sha256);
    text += `${row === 0 ? "" : ","}\n    ${JSON.stringify(file)}: "${sha256}"`;
    if (text.length < PIECE) continue;
    yield text;
    text = "";
  }
  yield `${text}${count === 0 ? "" : "\n  "}${end}\n`;
}
