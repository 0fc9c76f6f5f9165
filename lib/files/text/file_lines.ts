import { notText, openPlainFile, type PlainFileOptions } from "../plain_file.ts";

/** Bytes that are read at a time. */
const PIECE = 2 ** 16;

/**
 * A text file's lines, without their line feeds, one after the other: of a large file only a piece is in
 * memory. A byte order mark is left out.
 *
 * @param onBytes gets each piece as it is read
 * @throws {LetheError} as `readPlainText`
 */
export async function* fileLines(
  path: string,
  options: PlainFileOptions,
  onBytes?: (piece: Uint8Array) => void,
): AsyncGenerator<string, undefined> {
  const file = await openPlainFile(path, options);
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    const decoded = (bytes?: Uint8Array) => {
      try {
        return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
      } catch (cause) {
        throw notText(path, cause);
      }
    };
    const piece = new Uint8Array(PIECE);
    /** Of a line whose end has not come; joined once, since a line may be as long as the file. */
    let begun: string[] = [];
    for (;;) {
      const count = await file.read(piece);
      if (count === 0) break;
      onBytes?.(piece.subarray(0, count));
      const text = decoded(piece.subarray(0, count));
      let at = 0;
      for (let feed = text.indexOf("\n"); feed >= 0; feed = text.indexOf("\n", at)) {
        begun.push(text.slice(at, feed));
        yield begun.join("");
        begun = [];
        at = feed + 1;
      }
      begun.push(text.slice(at));
    }
    begun.push(decoded());
    await file.end();
    const last = begun.join("");
    if (last !== "") yield last;
  } finally {
    file.close();
  }
}
