import { join } from "@std/path";
import { readPlainText } from "../files/plain_file.ts";

/** What `train` noted of its run. */
export interface TrainingNotes {
  /** Each epoch; null where none is told. */
  readonly history: { metric: unknown }[] | null;
  /** Whether the people to forget were left out, as for the retrained oracle; null where nothing tells. */
  readonly withoutForget: boolean | null;
  /** SHA-256 of the content of the split that it was trained on; null where it is not told. */
  readonly split: string | null;
}

/** Reads a model folder's `history.json`, which is a note: it may be missing, or of any kind. */
export async function trainingNotes(folder: string): Promise<TrainingNotes> {
  const path = join(folder, "history.json");
  try {
    const text = await readPlainText(path, { maxBytes: 2 ** 24 });
    const { history, withoutForget, split } = JSON.parse(text);
    return {
      history: Array.isArray(history) ? history : null,
      withoutForget: typeof withoutForget === "boolean" ? withoutForget : null,
      split: typeof split === "string" ? split : null,
    };
  } catch {
    return { history: null, withoutForget: null, split: null };
  }
}
