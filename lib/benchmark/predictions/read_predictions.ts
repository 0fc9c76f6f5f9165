import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { openPlainFile } from "../../files/plain_file.ts";
import { MAX_WEIGHT_BYTES } from "../../model/checkpoint.ts";
import { readSafetensorsHead } from "../../model/safetensors.ts";
import { type PredictedPart, PREDICTIONS_FILE } from "./parts.ts";

/** Numbers that lie in a file, or in memory: rows, one after the other. */
export interface StoredRows {
  /** How many numbers. */
  readonly length: number;
  /** Copies as many of the numbers as `into` holds, those from `from` on. */
  read(from: number, into: Float32Array): void;
}

/** A model's rows of one part. @throws LetheError the stage does not hold them */
export type PredictionRows = (part: PredictedPart, rows: "logits" | "features") => StoredRows;

/** What `writePredictions` wrote. */
export interface StoredPredictions extends Disposable {
  readonly seconds: number | null;
  /** A model's rows, by its name, until this is disposed of. */
  rows(model: string): PredictionRows;
}

/** Opens a folder of predictions, whose rows are read when they are asked for. @throws LetheError it is missing or damaged */
export async function openPredictions(folder: string): Promise<StoredPredictions> {
  const path = join(folder, PREDICTIONS_FILE);
  const remedy = "remove that folder: the grid makes it again";
  // That it is a plain file, and no larger than it may be.
  (await openPlainFile(path, { maxBytes: MAX_WEIGHT_BYTES, remedy })).close();
  const file = Deno.openSync(path, { read: true });
  try {
    const read = (from: number, into: Uint8Array) => {
      file.seekSync(from, Deno.SeekMode.Start);
      for (let at = 0; at < into.length;) {
        const count = file.readSync(into.subarray(at));
        if (count === null) {
          throw new LetheError(`${path} ends early`, "its head says more", remedy);
        }
        at += count;
      }
    };
    const { entries, metadata, begin } = readSafetensorsHead(file.statSync().size, read, path);
    const places = new Map(entries.map((entry) => [entry.name, entry]));
    const seconds = Number(metadata.seconds);
    return {
      seconds: Number.isFinite(seconds) ? seconds : null,
      rows: (model) => (part, rows) => {
        const place = places.get(`${model}.${part}.${rows}`);
        if (place?.dtype !== "F32") {
          throw new LetheError(
            `${path} lacks ${model}.${part}.${rows}`,
            "a stage's predictions are complete",
            remedy,
          );
        }
        return {
          length: (place.end - place.begin) / 4,
          read: (from, { buffer, byteOffset, byteLength }) =>
            read(begin + place.begin + 4 * from, new Uint8Array(buffer, byteOffset, byteLength)),
        };
      },
      [Symbol.dispose]: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}
