import { dirname, join } from "@std/path";
import { LetheError } from "../../error.ts";
import { readPlainFile } from "../../files/plain_file.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { writeWhole } from "../../files/write_whole.ts";
import {
  EVIDENCE_FOLDER,
  type Receipt,
  RECEIPT_BUNDLE,
  RECEIPT_FILE,
  RECEIPT_PAGE,
} from "./receipt.ts";
import { readReceipt } from "./receipt_file.ts";

/**
 * In a pack: the new model's hashes as sha256sum has them, so that `sha256sum -c` checks the model
 * alone.
 */
export const MODEL_HASHES = "model.sha256";

const BLOCK = 512;
const MAX_BYTES = 2 ** 28;
/** What a pack may hold. */
const NAMES = [RECEIPT_FILE, RECEIPT_PAGE, RECEIPT_BUNDLE, MODEL_HASHES] as const;
const EVIDENCE = new RegExp(`^${EVIDENCE_FOLDER}/[a-z]{1,40}\\.log$`);

/**
 * Writes what an auditor gets of a run, and nothing else: receipt, page, bundle, evidence and the hashes of
 * the new model, as one tar archive (POSIX ustar) that any system opens. The same run gives the same bytes.
 *
 * @param receiptPath the receipt in the folder that the run wrote
 * @param path of the pack; it must not exist
 * @returns the files that it holds
 * @throws {LetheError} a file is missing or damaged, or `path` exists
 */
export async function writePack(receiptPath: string, path: string): Promise<string[]> {
  const receipt = await readReceipt(receiptPath);
  const folder = dirname(receiptPath);
  const isThere = (file: string) => Deno.lstat(join(folder, file)).then(() => true, () => false);
  const files: [string, Uint8Array][] = [];
  for (const file of [RECEIPT_FILE, RECEIPT_PAGE, RECEIPT_BUNDLE]) {
    if (file !== RECEIPT_FILE && !await isThere(file)) continue;
    const from = file === RECEIPT_FILE ? receiptPath : join(folder, file);
    files.push([file, await readPlainFile(from, { maxBytes: MAX_BYTES })]);
  }
  for (const { file } of receipt.evidence) {
    files.push([file, await readPlainFile(join(folder, file), { maxBytes: MAX_BYTES })]);
  }
  files.push([MODEL_HASHES, new TextEncoder().encode(modelHashes(receipt))]);
  await writeWhole(path, encodeTar(files));
  return files.map(([file]) => file);
}

/** What {@link MODEL_HASHES} says. */
export function modelHashes({ written }: Pick<Receipt, "written">): string {
  return written.filter(({ file }) => file.startsWith("model/"))
    .map(({ file, sha256 }) => `${sha256}  ${file}\n`).join("");
}

/** Whether a path is named as a pack is. */
export function isPackName(path: string): boolean {
  return path.toLowerCase().endsWith(".tar");
}

/**
 * Reads a pack's files by name.
 *
 * @throws {LetheError} it is no pack, or holds anything that a pack does not
 */
export async function readPack(path: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const bytes = await readPlainFile(path, {
    maxBytes: 2 * MAX_BYTES,
    remedy: "name the file that audit --pack wrote",
  });
  const files = new Map<string, Uint8Array>();
  for (const [file, content] of decodeTar(bytes, path)) {
    const known = NAMES.some((name) => name === file) || EVIDENCE.test(file);
    if (!known || files.has(file)) {
      throw odd(path, `it holds ${JSON.stringify(file)}${known ? " twice" : ""}`);
    }
    files.set(file, content);
  }
  if (!files.has(RECEIPT_FILE)) throw odd(path, `it holds no ${RECEIPT_FILE}`);
  // Behind its end, between its files and in their headers something could lie that other readers of tar find.
  if (sha256Hex(encodeTar([...files])) !== sha256Hex(bytes)) {
    throw odd(path, "it has bytes that audit --pack does not write");
  }
  return files;
}

/**
 * Lays out a pack's files.
 *
 * @param folder an empty one
 * @throws {LetheError} as {@link readPack}
 */
export async function unpack(path: string, folder: string): Promise<void> {
  for (const [file, content] of await readPack(path)) {
    await Deno.mkdir(dirname(join(folder, file)), { recursive: true });
    await Deno.writeFile(join(folder, file), content, { createNew: true });
  }
}

function encodeTar(files: readonly (readonly [string, Uint8Array])[]): Uint8Array {
  const parts = files.flatMap((
    [name, content],
  ) => [header(name, content.length), content, padding(content)]);
  const end = new Uint8Array(2 * BLOCK);
  const size = [...parts, end].reduce((sum, part) => sum + part.length, 0);
  const tar = new Uint8Array(size);
  parts.reduce((at, part) => (tar.set(part, at), at + part.length), 0);
  return tar;
}

function padding({ length }: Uint8Array): Uint8Array {
  return new Uint8Array((BLOCK - length % BLOCK) % BLOCK);
}

/** A file's header: of nobody, of no time, so that a pack depends on its content alone. */
function header(name: string, size: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string) => block.set(new TextEncoder().encode(text), at);
  const octal = (at: number, width: number, value: number) =>
    put(at, value.toString(8).padStart(width - 1, "0"));
  put(0, name);
  octal(100, 8, 0o644);
  octal(108, 8, 0);
  octal(116, 8, 0);
  octal(124, 12, size);
  octal(136, 12, 0);
  put(148, " ".repeat(8));
  put(156, "0");
  put(257, "ustar\u000000");
  // The sum is taken with the sum's own field as spaces, and ends in a zero and a space.
  octal(148, 7, block.reduce((sum, byte) => sum + byte, 0));
  block[154] = 0;
  return block;
}

function* decodeTar(tar: Uint8Array, path: string): Generator<[string, Uint8Array]> {
  const text = (from: number, length: number) =>
    new TextDecoder().decode(tar.subarray(from, from + length)).replace(/\0.*$/s, "");
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0;) {
    const size = parseInt(text(at + 124, 12), 8);
    const type = text(at + 156, 1);
    if (
      text(at + 257, 5) !== "ustar" || !(type === "" || type === "0") || text(at + 345, 155) !== ""
    ) {
      throw odd(path, `${JSON.stringify(text(at, 100))} is no plain file of a tar archive`);
    }
    if (!(size >= 0) || at + BLOCK + size > tar.length) throw odd(path, "it is cut short");
    yield [text(at, 100), tar.subarray(at + BLOCK, at + BLOCK + size)];
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}

function odd(path: string, what: string): LetheError {
  return new LetheError(
    `${path}: ${what}`,
    "a pack holds a receipt, its page and bundle, logs and the model's hashes, nothing else",
    "name the file that audit --pack wrote",
  );
}
