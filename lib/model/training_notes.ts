import { join } from "@std/path";
import { readPlainText } from "../files/plain_file.ts";

/** What `train` noted of its run. */
export interface TrainingNotes {
  /** Each epoch; null where none is told. */
  readonly history: { metric: unknown }[] | null;
  /** Whether this is the retrained oracle. */
  readonly withoutForget: boolean;
}

/** Reads a model folder's `history.json`, which is a note: it may be missing, or of any kind. */
export async function trainingNotes(folder: string): Promise<TrainingNotes> {
  const path = join(folder, "history.json");
  try {
    const { history, withoutForget } = JSON.parse(await readPlainText(path, { maxBytes: 2 ** 24 }));
    return {
      history: Array.isArray(history) ? history : null,
      withoutForget: withoutForget === true,
    };
  } catch {
    return { history: null, withoutForget: false };
  }
}
