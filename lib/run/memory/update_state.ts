import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { byteSize } from "../../files/text/byte_size.ts";
import type { PersonUpdates } from "../../unlearn/compared/logged_updates.ts";

/** Bytes of everybody's updates and moments, at most: they all change with every step. */
const MOST = 8 * 2 ** 30;

/** @throws {LetheError} so many people's updates of a model of so many weights do not fit the memory */
export function checkLogSize(people: number, weights: number): void {
  const bytes = 8 * people * weights;
  if (bytes <= MOST) return;
  throw new LetheError(
    `--log-updates with ${people} people and ${weights} weights`,
    `it keeps ${byteSize(bytes)} in memory, and ${byteSize(MOST)} are the most`,
    "take a smaller model, or fewer people",
  );
}

/** The file of what was logged up to an epoch. */
function fileOf(folder: string, epoch: number): string {
  return join(folder, `epoch-${epoch}.f32`);
}

/** Writes what was logged up to an epoch: updates and moments, one person after another. */
export async function saveUpdates(
  folder: string,
  epoch: number,
  people: readonly PersonUpdates[],
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const path = fileOf(folder, epoch);
  const file = await Deno.open(`${path}.part`, { write: true, create: true, truncate: true });
  try {
    for (const values of people.flatMap(({ update, moment }) => [update, moment])) {
      const bytes = new Uint8Array(values.buffer);
      for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    }
    await file.sync();
  } finally {
    file.close();
  }
  await Deno.rename(`${path}.part`, path);
}

/**
 * Reads what {@link saveUpdates} wrote into `people`.
 *
 * @throws {LetheError} there is none of that epoch, or it is of another size
 */
export async function loadUpdates(
  folder: string,
  epoch: number,
  people: readonly PersonUpdates[],
): Promise<void> {
  const path = fileOf(folder, epoch);
  const bytes = await Deno.readFile(path).catch(() => null);
  const due = people.reduce((sum, { update }) => sum + 2 * update.byteLength, 0);
  if (bytes?.length !== due) {
    throw new LetheError(
      bytes ? `${path} has ${bytes.length} bytes` : `there is no ${path}`,
      `a run that logs updates goes on from ${due} bytes`,
      "remove the run's saved state, OUT.training, to start anew",
    );
  }
  const values = new Float32Array(bytes.buffer);
  let at = 0;
  for (const { update, moment } of people) {
    for (const own of [update, moment]) own.set(values.subarray(at, at += own.length));
  }
}

/** Removes what was logged up to other epochs. */
export async function keepUpdates(folder: string, epochs: readonly number[]): Promise<void> {
  const kept = epochs.map((epoch) => fileOf(folder, epoch));
  for await (const { name } of Deno.readDir(folder)) {
    if (!kept.includes(join(folder, name))) await Deno.remove(join(folder, name));
  }
}
