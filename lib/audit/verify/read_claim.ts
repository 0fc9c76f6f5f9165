import { LetheError } from "../../error.ts";
import { NewerReceipt } from "../receipt/receipt_file.ts";

/**
 * Reads what is handed in as a receipt or a pack. A file that is there and is neither has failed the audit, as
 * one has whose hashes are wrong: whoever alters a receipt need not leave it readable.
 *
 * @throws {LetheError} exit code 3 where the file's content is at fault; as `read` throws it where the file is
 *   missing or cannot be opened, and where only a newer Lethe can tell
 */
export async function readClaim<T>(path: string, read: (path: string) => Promise<T>): Promise<T> {
  try {
    return await read(path);
  } catch (error) {
    if (!(error instanceof LetheError) || error instanceof NewerReceipt) throw error;
    const isFile = await Deno.lstat(path).then((stat) => stat.isFile, () => false);
    const refused = Object.values(Deno.errors).some((kind) => error.cause instanceof kind);
    if (!isFile || refused) throw error;
    const remedy =
      "it was altered or damaged since, or is another file: ask for what the run wrote";
    throw new LetheError(error.value, error.rule, remedy, { exitCode: 3, cause: error });
  }
}
