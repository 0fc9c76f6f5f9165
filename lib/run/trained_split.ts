import { dirname, join } from "@std/path";
import { readPlainText } from "../files/plain_file.ts";
import { trainingNotes } from "../model/training_notes.ts";

/**
 * The split that a model's weights go back to, as far as what lies with them tells: `train` and
 * `unlearn-with-data` note it beside the weights, and what `unlearn` leaves has it in the next kit.
 *
 * @param model its folder, or a file in one
 * @returns SHA-256 of its content; null where nothing tells
 */
export async function trainedSplit(model: string): Promise<string | null> {
  const isFile = await Deno.stat(model).then((info) => info.isFile, () => false);
  const folder = isFile ? dirname(model) : model;
  return (await trainingNotes(folder)).split ??
    await noted(join(folder, "unlearning.json"), (note) => note.split) ??
    await noted(
      join(folder, "..", "kit", "kit.json"),
      ({ record }) =>
        typeof record === "object" && record !== null && "split" in record ? record.split : null,
    );
}

/**
 * What has to be known of a model that is used with another split than its own; null where it is this
 * split's, or does not tell.
 *
 * @param so what follows: `these figures are not of its own parts`
 * @param split SHA-256 of the split's content
 */
export async function otherSplitNotice(
  model: string,
  so: string,
  split: string,
): Promise<string | null> {
  const own = await trainedSplit(model);
  return own === null || own === split
    ? null
    : `${model} was trained on another split than this: ${so}`;
}

/** A hash that a JSON file tells; it is a note, which may be missing or of any kind. */
async function noted(
  path: string,
  field: (note: Readonly<Record<string, unknown>>) => unknown,
): Promise<string | null> {
  try {
    const note = JSON.parse(await readPlainText(path, { maxBytes: 2 ** 26 }));
    const value = typeof note === "object" && note !== null ? field(note) : null;
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}
