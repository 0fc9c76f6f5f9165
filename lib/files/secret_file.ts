import { dirname } from "@std/path";
import { firstLine, LetheError } from "../error.ts";
import { refuseExisting } from "./write_whole.ts";

/**
 * Writes a key for this user only (mode 0600). Missing parent folders are made. A file that is there
 * already stays: a lost key cannot be made again.
 *
 * @throws {LetheError} when the file exists or cannot be written
 */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  await refuseExisting(path);
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    try {
      const bytes = new TextEncoder().encode(text);
      for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
      await file.sync();
    } catch (error) {
      await Deno.remove(path).catch(() => {});
      throw error;
    } finally {
      file.close();
    }
  } catch (cause) {
    const why = firstLine(cause);
    throw new LetheError(
      `${path} cannot be written (${why})`,
      "a key is written where only its user may read it",
      "choose another place or mend the folder's rights",
      { cause },
    );
  }
}
