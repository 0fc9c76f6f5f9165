import { readPlainText } from "../data/plain_file.ts";
import { writeWhole } from "../data/whole.ts";
import { LetheError } from "../error.ts";

/** Where it is noted that a kit has been through a request: beside the kit, which itself never changes. */
export function successorPath(kit: string): string {
  return `${kit.replace(/[/\\]+$/, "")}.successor.json`;
}

/**
 * Refuses a kit that has been through a request already: going back to it would restore whoever was
 * forgotten then.
 *
 * @param sha256 of the kit's `kit.json`
 * @throws LetheError the kit has a successor
 */
export async function refuseSucceeded(kit: string, sha256: string): Promise<void> {
  const path = successorPath(kit);
  try {
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  const text = await readPlainText(path, { maxBytes: 65_536 });
  let note: { kit?: unknown; next?: unknown };
  try {
    note = JSON.parse(text);
  } catch (cause) {
    throw new LetheError(`${path} is not JSON`, "it notes a kit's successor", "restore it", {
      cause,
    });
  }
  // Another kit of the same name may have taken this one's place.
  if (note?.kit !== sha256) return;
  throw new LetheError(
    `${kit} has a successor, ${String(note.next)}`,
    "going back to a kit restores the people whom its successor forgot",
    "use the successor, or --branch to do it all the same",
  );
}

/** Notes a kit's successor. */
export async function noteSuccessor(kit: string, sha256: string, next: string): Promise<void> {
  await writeWhole(successorPath(kit), JSON.stringify({ kit: sha256, next }, null, 2) + "\n");
}
