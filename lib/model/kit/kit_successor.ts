import { readPlainText } from "../../files/plain_file.ts";
import { writeWhole } from "../../files/write_whole.ts";
import { LetheError } from "../../error.ts";
import { HASH, integer, JsonFields, line, list, parseJsonObject } from "../../files/json_fields.ts";

/** Where it is noted that a kit has been through a request: beside the kit, which itself never changes. */
export function successorPath(kit: string): string {
  return `${kit.replace(/[/\\]+$/, "")}.successor.json`;
}

/**
 * Refuses a kit that has been through a request already: going back to it would restore whoever was
 * forgotten then.
 *
 * @param sha256 of the kit's `kit.json`
 * @throws {LetheError} the kit has a successor, or the note of it is damaged
 */
export async function refuseSucceeded(kit: string, sha256: string): Promise<void> {
  const successors = await readSuccessors(kit, sha256);
  if (successors.length === 0) return;
  throw new LetheError(
    `${kit} has a successor, ${successors.join(" and ")}`,
    "going back to a kit restores the people whom its successor forgot",
    "use the successor, or --branch to do it all the same",
  );
}

/**
 * Notes a kit's successor; one that is a branch joins those before it.
 *
 * @param sha256 of the kit's `kit.json`
 * @param next where the successor lies
 * @throws {LetheError} the earlier note is damaged or cannot be replaced
 */
export async function noteSuccessor(kit: string, sha256: string, next: string): Promise<void> {
  const successors = [...new Set([...await readSuccessors(kit, sha256), next])];
  const note = { version: 1, kit: sha256, successors };
  await writeWhole(successorPath(kit), JSON.stringify(note, null, 2) + "\n");
}

/** Where a kit's successors lie; none for a note that is about another kit, once of this name. */
async function readSuccessors(kit: string, sha256: string): Promise<string[]> {
  const path = successorPath(kit);
  try {
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  const remedy = "restore it; without it nobody can tell whether the kit is the newest";
  const text = await readPlainText(path, { maxBytes: 2 ** 20, remedy });
  const note = new JsonFields(parseJsonObject(text, path, remedy), path, remedy);
  note.read("version", integer(1, 1));
  const about = note.read("kit", HASH);
  const successors = note.read("successors", list(line(4096), 1, 1000));
  note.end();
  return about === sha256 ? successors : [];
}
