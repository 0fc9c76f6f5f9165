import { join } from "@std/path";
import { loadState, saveState } from "../../model/saved_state.ts";
import type { GradientMoments } from "../../unlearn/memory/gradient_moments.ts";

/**
 * Moments from where a stopped run left them; else computed, and left there: on a large model their bases
 * take the longest before the first round.
 *
 * @param folder of the run's rows
 * @param fingerprint JSON of all that they depend on
 * @returns the caller disposes them
 * @throws {LetheError} the folder holds another run's
 */
export async function keptMoments(
  folder: string,
  fingerprint: string,
  compute: () => Promise<GradientMoments>,
): Promise<GradientMoments> {
  const path = join(folder, "moments.safetensors");
  const saved = await loadState<null>(path, fingerprint);
  if (saved) {
    const { left = {}, right = {}, diagonal } = saved.sets;
    return { left, right, diagonal };
  }
  const moments = await compute();
  await saveState(path, fingerprint, { sets: { ...moments }, record: null });
  return moments;
}
