import { type ImageSource, range } from "../data/loader/image_source.ts";
import { LetheError } from "../error.ts";
import type { ModelConfig } from "../model/config.ts";
import type { StoredKit } from "../model/kit/kit.ts";
import type { MemoryIndex } from "../model/kit/memory_index.ts";
import type { MemoryRow } from "../model/kit/memory_row.ts";
import { openRows } from "../model/kit/read_memory.ts";
import { predict } from "../model/predict.ts";
import type { Weights } from "../tensor/weights.ts";
import { cosineDistance } from "../unlearn/memory/photograph_match.ts";
import { requestFactor } from "../unlearn/memory/request_scale.ts";
import { scaledRow } from "../unlearn/memory/row_step.ts";
import { type MethodName, methodOf } from "../unlearn/methods.ts";
import type { RequestedRow } from "./unlearn_summary.ts";

/**
 * What a kit remembers of the requested people, at the scale for so many, for a method that needs it;
 * nobody else's row is read.
 *
 * @param rows one of each person
 * @throws {LetheError} it remembers nothing of somebody, or a row is damaged or opens with another key
 */
export async function requestedMemory(
  folder: string,
  { manifest, model }: StoredKit,
  index: MemoryIndex | undefined,
  rows: readonly RequestedRow[],
  method: MethodName,
): Promise<MemoryRow[] | undefined> {
  if (index === undefined || !methodOf(method).needs.includes("memory")) return undefined;
  const asked = rows.map(({ row, key, file }) => {
    if (key !== undefined) return { person: manifest.identities[row], key };
    throw new LetheError(
      `${folder} remembers nothing of the person of ${file}`,
      "a row is written for everybody whom the model was trained on",
      "use another method, such as --method metaunlearn",
    );
  });
  const found = await openRows(folder, index, model.config, asked);
  const factor = requestFactor(index.requests ?? [], (index.forgotten ?? 0) + found.length);
  return factor === 1 ? found : found.map((row) => scaledRow(row, factor));
}

/** How far the farthest photograph is from its person, and how far one may be. */
export interface MatchFound {
  readonly farthest: number;
  readonly distance: number;
}

/**
 * Holds photographs against the people whom the requests name, each by itself: one of somebody else is
 * not made good by another of the right person.
 *
 * @param source image i is the photograph of `memory[i]`'s person
 * @param names of the images, for errors
 * @returns null where the kit does not tell how far a photograph may be
 * @throws {LetheError} one is farther from its person than people's own photographs are
 */
export async function checkMatch(
  { match }: MemoryIndex,
  memory: readonly MemoryRow[],
  theta: Weights,
  config: ModelConfig,
  source: ImageSource,
  microBatch: number,
  names: readonly string[],
): Promise<MatchFound | null> {
  if (match === null) return null;
  const { features } = await predict(theta, config, source, range(memory.length), microBatch);
  const { dim } = config;
  const distances = memory.map(({ centroid }, i) =>
    cosineDistance(features.subarray(i * dim, (i + 1) * dim), centroid)
  );
  const { distance } = match;
  const far = distances.findIndex((found) => found > distance);
  if (far < 0) return { farthest: Math.max(...distances), distance };
  throw new LetheError(
    `${names[far]} is at a distance of ${distances[far].toFixed(3)} from its person`,
    `99 % of people's own photographs are within ${distance.toFixed(3)} of their mean`,
    "look whether it shows the person whom the request names; --no-match-check insists, and the " +
      "receipt says so",
  );
}
